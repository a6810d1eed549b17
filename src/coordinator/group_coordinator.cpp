#include <algorithm>
#include <millrace/coordinator/group_coordinator.hpp>

namespace millrace::inline v0::coordinator {
namespace {

Error refused(Errc code, std::string_view group, std::string_view why) {
  return {code, "group " + std::string(group) + ": " + std::string(why)};
}

std::string text_of(Milliseconds time) {
  return std::to_string(time.count()) + " ms";
}

}  // namespace

GroupCoordinator::GroupCoordinator(const GroupCoordinatorOptions& options, Group::IdSource ids)
    : options_(options), ids_(std::move(ids)) {}

GroupCoordinator::Entry* GroupCoordinator::find(std::string_view group) {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : &found->second;
}

Result<GroupCoordinator::Entry*> GroupCoordinator::find_member_of(const Membership& from) {
  if (Entry* const entry = find(from.group)) return entry;
  return refused(Errc::unknown_member, from.group, "there is no such group (any more); join again");
}

GroupCoordinator::Entry& GroupCoordinator::find_or_make(const std::string& group) {
  return groups_.try_emplace(group, group, options_.group).first->second;
}

Result<void> GroupCoordinator::check(const JoinRequest& request) const {
  if (request.group.empty()) {
    return Error(Errc::invalid_argument, "a group's id must not be empty; give the group a name");
  }
  const GroupOptions& limits = options_.group;
  if (request.session_timeout >= limits.min_session_timeout &&
      request.session_timeout <= limits.max_session_timeout) {
    return {};
  }
  return refused(Errc::invalid_argument, request.group,
                 "a session timeout of " + text_of(request.session_timeout) + " is not within " +
                     text_of(limits.min_session_timeout) + " to " +
                     text_of(limits.max_session_timeout));
}

void GroupCoordinator::join(const JoinRequest& request, Token token, const Now& now,
                            GroupActions& actions) {
  if (auto good = check(request); !good) {
    actions.joins.push_back({token, std::move(good).error()});
    return;
  }
  if (!request.member.member_id.empty() && find(request.group) == nullptr) {
    actions.joins.push_back({token, refused(Errc::unknown_member, request.group,
                                            "there is no such group; join without a member id")});
    return;
  }
  Entry& entry = find_or_make(request.group);
  entry.group.join(request, token, now, ids_, actions);
  after(entry, actions);
}

void GroupCoordinator::sync(const SyncRequest& request, Token token, const Now& now,
                            GroupActions& actions) {
  auto entry = find_member_of(request.from);
  if (!entry) {
    actions.syncs.push_back({token, std::move(entry).error()});
    return;
  }
  (*entry)->group.sync(request, token, now, actions);
  after(**entry, actions);
}

Result<void> GroupCoordinator::heartbeat(const Membership& from, const Now& now) {
  MILLRACE_TRY(Entry * entry, find_member_of(from));
  return entry->group.heartbeat(from, now);
}

Result<void> GroupCoordinator::leave(const std::string& group, const MemberIdentity& member,
                                     const Now& now, GroupActions& actions) {
  MILLRACE_TRY(Entry * entry, find_member_of({group, member}));
  auto left = entry->group.leave(member, now, actions);
  after(*entry, actions);
  return left;
}

Result<void> GroupCoordinator::check(const CommitRequest& request, const Now& now) {
  for (const OffsetToCommit& offset : request.offsets) {
    if (offset.committed.metadata.size() <= options_.max_metadata_bytes) continue;
    return Error(Errc::invalid_argument,
                 "committing with " + std::to_string(offset.committed.metadata.size()) +
                     " bytes of metadata, of which " + std::to_string(options_.max_metadata_bytes) +
                     " are allowed (offset.metadata.max.bytes)")
        .at(offset.partition.topic, offset.partition.partition);
  }
  Entry* const entry = find(request.from.group);
  if (entry != nullptr) return entry->group.check_commit(request.from, now);
  if (request.from.generation < 0) return {};
  return refused(Errc::illegal_generation, request.from.group,
                 "there is no such group (any more); join again");
}

void GroupCoordinator::commit(const CommitRequest& request, Token token, const Now& now,
                              GroupActions& actions) {
  start_commit(request, {token, request.from.group, request.offsets}, now, actions);
}

void GroupCoordinator::start_commit(const CommitRequest& request, CommitWrite commit,
                                    const Now& now, GroupActions& actions) {
  auto good = check(request, now);
  if (!good || request.offsets.empty()) {
    actions.commits.push_back({commit.token, std::move(good)});
    return;
  }
  const std::string& group = request.from.group;
  std::vector<InternalRecord> records;
  for (const OffsetToCommit& offset : request.offsets) {
    records.push_back(offset_record(group, offset.partition, offset.committed));
  }
  const auto transaction_of = commit.transaction_of;
  write(find_or_make(group), std::move(commit), std::move(records), actions);
  actions.writes.back().transaction_of = transaction_of;
}

const CommittedOffset* GroupCoordinator::committed(std::string_view group, std::string_view topic,
                                                   PartitionId partition) const {
  const OffsetTable* const table = offsets(group);
  return table == nullptr ? nullptr : table->find(topic, partition);
}

const OffsetTable* GroupCoordinator::offsets(std::string_view group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : &found->second.offsets;
}

void GroupCoordinator::write(Entry& entry, Pending pending, std::vector<InternalRecord> records,
                             GroupActions& actions) {
  const WriteId id{++last_write_};
  ++entry.writes;
  pending_.emplace(id, std::move(pending));
  actions.writes.push_back({id, entry.group.id(), std::move(records)});
}

/// What every event may leave to do: a state to write, a timer to set.
void GroupCoordinator::after(Entry& entry, GroupActions& actions) {
  Group& group = entry.group;
  if (const auto purpose = group.take_write()) {
    write(entry, GroupWrite{group.id(), *purpose, group.generation()}, {group_record(group)},
          actions);
  }
  const auto due = group.next_deadline();
  // Later than planned is found out when the planned time comes: heartbeats cost nothing here.
  if (!due || (entry.due && *entry.due <= *due)) return;
  if (entry.due) timers_.erase({*entry.due, group.id()});
  entry.due = due;
  timers_.emplace(*due, group.id());
}

void GroupCoordinator::written(WriteId id, const Result<void>& result, const Now& now,
                               GroupActions& actions) {
  const auto node = pending_.extract(id);
  if (!node) return;
  if (auto* const commit = std::get_if<CommitWrite>(&node.mapped())) {
    return end(id, *commit, result, actions);
  }
  if (auto* const removed = std::get_if<RemovalWrite>(&node.mapped())) {
    return end(*removed, result, actions);
  }
  if (auto* const removed = std::get_if<GroupRemoval>(&node.mapped())) {
    return end(*removed, result, now, actions);
  }
  const auto& of_group = std::get<GroupWrite>(node.mapped());
  Entry& entry = groups_.at(of_group.group);
  --entry.writes;
  entry.group.written(of_group.purpose, of_group.generation, result, now, actions);
  after(entry, actions);
}

void GroupCoordinator::end(WriteId id, CommitWrite& commit, const Result<void>& result,
                           GroupActions& actions) {
  Entry& entry = groups_.at(commit.group);
  --entry.writes;
  if (result) apply(entry, commit, static_cast<std::uint64_t>(id));
  actions.commits.push_back({commit.token, result});
}

const Group* GroupCoordinator::group(std::string_view id) const {
  const auto found = groups_.find(id);
  return found == groups_.end() ? nullptr : &found->second.group;
}

std::vector<const Group*> GroupCoordinator::groups() const {
  std::vector<const Group*> all;
  for (const auto& [id, entry] : groups_) all.push_back(&entry.group);
  return all;
}

}  // namespace millrace::inline v0::coordinator
