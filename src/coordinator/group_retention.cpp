#include <algorithm>
#include <millrace/coordinator/consumer_protocol.hpp>
#include <millrace/coordinator/group_coordinator.hpp>

namespace millrace::inline v0::coordinator {

void GroupCoordinator::tick(const Now& now, GroupActions& actions) {
  while (!timers_.empty() && timers_.begin()->first <= now.steady) {
    const auto timer = timers_.extract(timers_.begin());
    Entry& entry = *find(timer.value().second);
    entry.due.reset();
    entry.group.tick(now, actions);
    after(entry, actions);
  }
  if (!next_expiry_ || *next_expiry_ > now.steady) {
    if (!next_expiry_ && !groups_.empty()) {
      next_expiry_ = now.steady + options_.retention_check_interval;
    }
    return;
  }
  expire(now, actions);
  next_expiry_.reset();
  if (!groups_.empty()) next_expiry_ = now.steady + options_.retention_check_interval;
}

std::optional<Clock::Steady> GroupCoordinator::next_deadline() const {
  if (timers_.empty()) return next_expiry_;
  const Clock::Steady first = timers_.begin()->first;
  return next_expiry_ ? std::min(first, *next_expiry_) : first;
}

/// KIP-211: the offsets of a group that is in use do not expire, but for those of topics that no
/// member of it subscribes to any more.
std::vector<TopicPartition> GroupCoordinator::expired(const Entry& entry, Timestamp now) const {
  const Group& group = entry.group;
  if (!group.members().empty()) {
    const auto subscribed = group.subscribed_topics();
    if (!subscribed) return {};
    return entry.offsets.find_if([&](const std::string& topic, const CommittedOffset& committed) {
      return !subscribed->contains(topic) &&
             now - committed.commit_time >= options_.offsets_retention;
    });
  }
  const bool is_simple = group.protocol_type().empty();
  return entry.offsets.find_if([&](const std::string&, const CommittedOffset& committed) {
    if (committed.expire_time) return *committed.expire_time <= now;
    const Timestamp unused_since =
        is_simple ? committed.commit_time : std::max(group.state_since(), committed.commit_time);
    return now - unused_since >= options_.offsets_retention;
  });
}

void GroupCoordinator::expire(const Now& now, GroupActions& actions) {
  std::vector<std::string> unused;
  for (auto& [id, entry] : groups_) {
    std::vector<InternalRecord> tombstones;
    for (const TopicPartition& partition : expired(entry, now.wall)) {
      if (has_pending(id, partition)) continue;
      tombstones.push_back(offset_tombstone(id, partition));
      entry.offsets.erase(partition.topic, partition.partition);
    }
    if (!tombstones.empty()) {
      actions.writes.push_back({WriteId{++last_write_}, id, std::move(tombstones)});
    }
    const bool in_use =
        entry.writes > 0 || !entry.pending.empty() || entry.group.state() != GroupState::empty;
    if (entry.offsets.empty() && !in_use) unused.push_back(id);
  }
  for (const std::string& id : unused) forget(id, now, actions);
}

std::vector<InternalRecord> GroupCoordinator::tombstones_of(const Entry& entry) {
  const std::string& group = entry.group.id();
  std::vector<InternalRecord> tombstones;
  for (const TopicPartition& partition :
       entry.offsets.find_if([](const std::string&, const CommittedOffset&) { return true; })) {
    tombstones.push_back(offset_tombstone(group, partition));
  }
  tombstones.push_back(group_tombstone(group));
  return tombstones;
}

void GroupCoordinator::forget(const std::string& group, const Now& now, GroupActions& actions) {
  const auto found = groups_.find(group);
  Entry& entry = found->second;
  actions.writes.push_back({WriteId{++last_write_}, group, tombstones_of(entry)});
  entry.group.kill(now, actions);
  if (entry.due) timers_.erase({*entry.due, group});
  groups_.erase(found);
}

Result<void> GroupCoordinator::check_removal(const std::string& group) const {
  const auto found = groups_.find(group);
  if (found == groups_.end()) {
    return Error(Errc::unknown_group, "there is no group " + group + " to delete");
  }
  const Entry& entry = found->second;
  if (!entry.pending.empty()) {
    return Error(Errc::group_not_empty, "a transaction that is not over has offsets of group " +
                                            group + "; end it before deleting the group");
  }
  if (entry.group.state() != GroupState::empty || entry.writes > 0) {
    return Error(Errc::group_not_empty, "group " + group + " has " +
                                            std::to_string(entry.group.members().size()) +
                                            " members; stop them before deleting it");
  }
  return {};
}

void GroupCoordinator::remove_group(const std::string& group, Token token, GroupActions& actions) {
  if (auto fit = check_removal(group); !fit) {
    actions.commits.push_back({token, std::move(fit)});
    return;
  }
  auto node = groups_.extract(groups_.find(group));
  if (auto& due = node.mapped().due) timers_.erase({*std::exchange(due, std::nullopt), group});
  const WriteId id{++last_write_};
  actions.writes.push_back({id, group, tombstones_of(node.mapped())});
  pending_.emplace(id, GroupRemoval{token, std::move(node)});
}

void GroupCoordinator::end(GroupRemoval& removed, const Result<void>& result, const Now& now,
                           GroupActions& actions) {
  if (result) {
    removed.group.mapped().group.kill(now, actions);
  } else if (const auto back = groups_.insert(std::move(removed.group)); back.inserted) {
    after(back.position->second, actions);
  }
  actions.commits.push_back({removed.token, result});
}

void GroupCoordinator::remove_topic(std::string_view topic, Token token, GroupActions& actions) {
  remove_offsets_if([&](std::string_view, const TopicPartition& one) { return one.topic == topic; },
                    token, actions);
}

Result<void> GroupCoordinator::check_removal(const std::string& group,
                                             const std::vector<TopicPartition>& partitions) const {
  const auto found = groups_.find(group);
  if (found == groups_.end()) {
    return Error(Errc::unknown_group, "there is no group " + group + " to forget offsets of");
  }
  const Group& known = found->second.group;
  if (known.state() == GroupState::empty) return {};
  if (known.protocol_type() != consumer_protocol_type) {
    return Error(Errc::group_not_empty, "group " + group + " has members that are no consumers; " +
                                            "stop them before its offsets are forgotten");
  }
  const auto subscribed = known.subscribed_topics();
  for (const TopicPartition& partition : partitions) {
    if (subscribed && !subscribed->contains(partition.topic)) continue;
    return Error(Errc::group_not_empty,
                 "members of group " + group +
                     " read this topic; stop them before its offsets are forgotten")
        .at(partition.topic, partition.partition);
  }
  return {};
}

void GroupCoordinator::remove_offsets(const std::string& group,
                                      const std::vector<TopicPartition>& partitions, Token token,
                                      GroupActions& actions) {
  if (auto fit = check_removal(group, partitions); !fit) {
    actions.commits.push_back({token, std::move(fit)});
    return;
  }
  const std::set<TopicPartition> wanted(partitions.begin(), partitions.end());
  remove_offsets_if([&](std::string_view of,
                        const TopicPartition& one) { return of == group && wanted.contains(one); },
                    token, actions);
}

/// Also of commits that are being written, and of transactions that are not over.
void GroupCoordinator::remove_offsets_if(const IsToGo& is_to_go, Token token,
                                         GroupActions& actions) {
  std::map<std::string, std::set<TopicPartition>> by_group;
  const auto goes = [&](const std::string& group, const TopicPartition& partition) {
    const bool is = is_to_go(group, partition);
    if (is) by_group[group].insert(partition);
    return is;
  };
  for (const auto& [id, entry] : groups_) {
    for (const auto& [topic, partitions] : entry.offsets.topics()) {
      for (const auto& known : partitions) goes(id, {topic, known.first});
    }
  }
  for (auto& [id, pending] : pending_) {
    auto* const commit = std::get_if<CommitWrite>(&pending);
    if (commit == nullptr) continue;
    std::erase_if(commit->offsets, [&](const OffsetToCommit& offset) {
      return goes(commit->group, offset.partition);
    });
  }
  for (auto& [id, entry] : groups_) {
    for (auto& [producer, pending] : entry.pending) {
      std::erase_if(pending, [&, group = id](const PendingOffset& one) {
        return goes(group, one.offset.partition);
      });
    }
  }
  if (by_group.empty()) {
    actions.commits.push_back({token, {}});
    return;
  }
  const auto removal = std::make_shared<Removal>(Removal{token});
  for (const auto& [id, partitions] : by_group) {
    std::vector<InternalRecord> tombstones;
    for (const TopicPartition& partition : partitions) {
      tombstones.push_back(offset_tombstone(id, partition));
    }
    ++removal->writes_left;
    write(*find(id), RemovalWrite{removal, id, {partitions.begin(), partitions.end()}},
          std::move(tombstones), actions);
  }
}

void GroupCoordinator::end(RemovalWrite& removed, const Result<void>& result,
                           GroupActions& actions) {
  Entry& entry = groups_.at(removed.group);
  --entry.writes;
  if (result) {
    for (const TopicPartition& partition : removed.partitions) {
      entry.offsets.erase(partition.topic, partition.partition);
    }
  }
  Removal& removal = *removed.removal;
  if (removal.result) removal.result = result;
  if (--removal.writes_left == 0) actions.commits.push_back({removal.token, removal.result});
}

std::set<std::string> GroupCoordinator::topics() const {
  std::set<std::string> topics;
  for (const auto& [id, entry] : groups_) {
    for (const auto& [topic, partitions] : entry.offsets.topics()) topics.insert(topic);
    for (const auto& [producer, pending] : entry.pending) {
      for (const PendingOffset& one : pending) topics.insert(one.offset.partition.topic);
    }
  }
  return topics;
}

Result<void> GroupCoordinator::load(Bytes key, std::optional<Bytes> value, const Now& now) {
  MILLRACE_TRY(const RecordKey parsed, parse_key(key));
  if (const auto* offset = std::get_if<OffsetKey>(&parsed)) {
    if (!value) {
      if (Entry* const entry = find(offset->group)) {
        entry->offsets.erase(offset->topic, offset->partition);
        // Written for a topic that went, so it ends what a transaction meant to commit for it too.
        for (auto& [producer, pending] : entry->pending) {
          std::erase_if(pending, [&](const PendingOffset& one) {
            return one.offset.partition.topic == offset->topic &&
                   one.offset.partition.partition == offset->partition;
          });
        }
      }
      return {};
    }
    MILLRACE_TRY(CommittedOffset committed, parse_offset(*value));
    find_or_make(std::string(offset->group))
        .offsets.apply(offset->topic, offset->partition, std::move(committed), ++last_write_);
    return {};
  }
  const auto* of_group = std::get_if<GroupKey>(&parsed);
  if (of_group == nullptr) return {};
  const std::string id(of_group->group);
  OffsetTable offsets;
  std::map<std::int64_t, std::vector<PendingOffset>> pending;
  if (Entry* const known = find(id)) {
    offsets = std::move(known->offsets);
    pending = std::move(known->pending);
    if (known->due) timers_.erase({*known->due, id});
    groups_.erase(id);
  }
  if (!value && offsets.empty() && pending.empty()) return {};
  Entry& entry = find_or_make(id);
  entry.offsets = std::move(offsets);
  entry.pending = std::move(pending);
  if (!value) return {};
  MILLRACE_TRY(GroupSnapshot was, parse_group(*value));
  entry.group.load(std::move(was), now);
  GroupActions none;
  after(entry, none);
  return {};
}

}  // namespace millrace::inline v0::coordinator
