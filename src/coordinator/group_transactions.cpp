#include <algorithm>
#include <millrace/coordinator/group_coordinator.hpp>

// Offsets that are committed as part of a transaction (KIP-98, KIP-447).

namespace millrace::inline v0::coordinator {

void GroupCoordinator::commit_in_transaction(const CommitRequest& request,
                                             const ProducerEpoch& producer, Token token,
                                             const Now& now, GroupActions& actions) {
  start_commit(request, {token, request.from.group, request.offsets, producer}, now, actions);
}

void GroupCoordinator::apply(Entry& entry, CommitWrite& commit, std::uint64_t order) {
  if (commit.transaction_of && !commit.ended) {
    auto& pending = entry.pending[commit.transaction_of->id];
    for (OffsetToCommit& offset : commit.offsets) pending.push_back({std::move(offset), order});
    return;
  }
  if (commit.transaction_of && !*commit.ended) return;
  for (OffsetToCommit& offset : commit.offsets) {
    entry.offsets.apply(offset.partition.topic, offset.partition.partition,
                        std::move(offset.committed), order);
  }
}

std::vector<std::string> GroupCoordinator::end_transaction(
    std::int64_t producer_id, bool is_commit,
    const std::function<bool(std::string_view)>& concerns) {
  // In front of the marker in the log, though nobody has told yet that they are durable.
  for (auto& [id, pending] : pending_) {
    auto* const commit = std::get_if<CommitWrite>(&pending);
    if (commit == nullptr || !commit->transaction_of || commit->ended) continue;
    if (commit->transaction_of->id == producer_id && concerns(commit->group)) {
      commit->ended = is_commit;
    }
  }
  std::vector<std::string> waited;
  for (auto& [id, entry] : groups_) {
    const auto pending = entry.pending.find(producer_id);
    if (pending == entry.pending.end() || !concerns(id)) continue;
    for (PendingOffset& one : pending->second) {
      if (!is_commit) break;
      entry.offsets.apply(one.offset.partition.topic, one.offset.partition.partition,
                          std::move(one.offset.committed), one.order);
    }
    entry.pending.erase(pending);
    waited.push_back(id);
  }
  return waited;
}

bool GroupCoordinator::has_pending(std::string_view group, const TopicPartition& partition) const {
  for (const auto& [id, pending] : pending_) {
    const auto* const commit = std::get_if<CommitWrite>(&pending);
    if (commit == nullptr || !commit->transaction_of || commit->group != group) continue;
    if (std::any_of(commit->offsets.begin(), commit->offsets.end(),
                    [&](const OffsetToCommit& offset) { return offset.partition == partition; })) {
      return true;
    }
  }
  const auto found = groups_.find(group);
  if (found == groups_.end()) return false;
  const auto& all = found->second.pending;
  return std::any_of(all.begin(), all.end(), [&](const auto& of_producer) {
    return std::any_of(of_producer.second.begin(), of_producer.second.end(),
                       [&](const auto& one) { return one.offset.partition == partition; });
  });
}

Result<void> GroupCoordinator::load_pending(std::int64_t producer_id, Bytes key,
                                            std::optional<Bytes> value) {
  MILLRACE_TRY(const RecordKey parsed, parse_key(key));
  const auto* offset = std::get_if<OffsetKey>(&parsed);
  if (offset == nullptr || !value) return {};
  MILLRACE_TRY(CommittedOffset committed, parse_offset(*value));
  find_or_make(std::string(offset->group))
      .pending[producer_id]
      .push_back(
          {{{std::string(offset->topic), offset->partition}, std::move(committed)}, ++last_write_});
  return {};
}

}  // namespace millrace::inline v0::coordinator
