#include <algorithm>
#include <millrace/coordinator/group_coordinator.hpp>

// Offsets that are committed as part of a transaction (KIP-98, KIP-447).

namespace millrace::inline v0::coordinator {

void GroupCoordinator::commit_in_transaction(const CommitRequest& request,
                                             const ProducerEpoch& producer, Token token,
                                             const Now& now, GroupActions& actions) {
  start_commit(request, {token, request.from.group, request.offsets, producer}, now, actions);
}

std::vector<GroupCoordinator::PendingOffset>& GroupCoordinator::pending_of(
    Entry& entry, std::int64_t producer_id) {
  waiting_[producer_id].insert(entry.group.id());
  return entry.pending[producer_id];
}

void GroupCoordinator::apply(Entry& entry, CommitWrite& commit, std::uint64_t order) {
  if (commit.transaction_of && !commit.ended) {
    auto& pending = pending_of(entry, commit.transaction_of->id);
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
  const auto waiting = waiting_.find(producer_id);
  if (waiting == waiting_.end()) return waited;
  for (const std::string& id : waiting->second) {
    if (!concerns(id)) continue;
    Entry& entry = groups_.at(id);
    const auto pending = entry.pending.extract(producer_id);
    for (PendingOffset& one : pending.mapped()) {
      if (!is_commit) break;
      entry.offsets.apply(one.offset.partition.topic, one.offset.partition.partition,
                          std::move(one.offset.committed), one.order);
    }
    waited.push_back(id);
  }
  for (const std::string& id : waited) waiting->second.erase(id);
  if (waiting->second.empty()) waiting_.erase(waiting);
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
  pending_of(find_or_make(std::string(offset->group)), producer_id)
      .push_back(
          {{{std::string(offset->topic), offset->partition}, std::move(committed)}, ++last_write_});
  return {};
}

}  // namespace millrace::inline v0::coordinator
