#include <millrace/coordinator/consumer_protocol.hpp>
#include <millrace/engine/broker_core.hpp>
#include <millrace/groups.hpp>
#include <millrace/server/group_service.hpp>

namespace millrace::inline v0 {
namespace {

using coordinator::GroupCoordinator;
using server::GroupService;

GroupSummary summary_of(const coordinator::Group& group) {
  return {group.id(), std::string(to_string(group.state())),
          group.members().empty() ? std::string() : group.protocol(), group.members().size()};
}

GroupMemberInfo info_of(const coordinator::Member& member) {
  GroupMemberInfo info{member.id, member.instance_id, member.client_id, member.client_host, {}};
  if (auto assignment = coordinator::decode_assignment(member.assignment)) {
    info.assignment = std::move(assignment->partitions);
  }
  return info;
}

Error unknown(const std::string& group) {
  return {Errc::unknown_group, "there is no group " + group +
                                   ": nobody joined it or committed for it, or it has expired"};
}

/// What is committed and who reads, without the logs' ends.
GroupDescription describe(const coordinator::Group& group, const coordinator::OffsetTable& table) {
  GroupDescription description{summary_of(group), group.generation(), {}, {}};
  std::map<TopicPartition, GroupProgress> progress;
  for (const auto& [topic, partitions] : table.topics()) {
    for (const auto& [id, entry] : partitions) {
      progress[{topic, id}].committed = Committed{entry.committed.offset, entry.committed.metadata};
    }
  }
  for (const auto& [id, member] : group.members()) {
    description.members.push_back(info_of(member));
    for (const TopicPartition& partition : description.members.back().assignment) {
      progress[partition].member_id = id;
    }
  }
  for (auto& [partition, one] : progress) {
    one.partition = partition;
    description.progress.push_back(std::move(one));
  }
  return description;
}

Result<std::shared_ptr<engine::PartitionReader>> reader_of(engine::BrokerCore& broker,
                                                           const TopicPartition& partition) {
  MILLRACE_TRY(const auto topic, broker.topic(partition.topic));
  const auto index = static_cast<std::size_t>(partition.partition);
  if (partition.partition >= 0 && index < topic->readers.size()) return topic->readers[index];
  return Error(Errc::unknown_partition, "topic " + partition.topic + " has partitions 0 to " +
                                            std::to_string(topic->readers.size() - 1))
      .at(partition.topic, partition.partition);
}

struct Target {
  engine::PartitionReader& reader;
  std::optional<Offset> committed;

  Result<Offset> operator()(ResetTo::Begin) const { return reader.log_start_offset(); }
  Result<Offset> operator()(ResetTo::End) const { return reader.visible_end(); }
  Result<Offset> operator()(ResetTo::Current) const {
    return committed.value_or(reader.visible_end());
  }
  Result<Offset> operator()(ResetTo::At at) const { return at.offset; }
  Result<Offset> operator()(ResetTo::Time from) const {
    const Offset end = reader.visible_end();
    auto found = storage::find_time(reader.source(), from.time, end);
    if (!found) return found.error().at(reader.topic(), reader.id());
    return *found ? (*found)->offset : end;
  }
  Result<Offset> operator()(ResetTo::By by) const {
    std::int64_t to = 0;
    if (__builtin_add_overflow(committed.value_or(Offset{0}).value(), by.count, &to)) {
      to = by.count < 0 ? 0 : std::numeric_limits<std::int64_t>::max();
    }
    return Offset{to};
  }
};

}  // namespace

Result<std::vector<GroupSummary>> Groups::list() const {
  std::vector<GroupSummary> all;
  MILLRACE_CHECK(GroupService::look_at(*broker_.core(), [&](const GroupCoordinator& groups) {
    for (const coordinator::Group* group : groups.groups()) all.push_back(summary_of(*group));
  }));
  return all;
}

Result<GroupDescription> Groups::describe(const std::string& group) const {
  std::optional<GroupDescription> found;
  MILLRACE_CHECK(GroupService::look_at(*broker_.core(), [&](const GroupCoordinator& groups) {
    const auto* const known = groups.group(group);
    if (known != nullptr) found = v0::describe(*known, *groups.offsets(group));
  }));
  if (!found) return unknown(group);
  for (GroupProgress& progress : found->progress) {
    const auto reader = reader_of(*broker_.core(), progress.partition);
    if (!reader) continue;  // deleted since, or not ours to see yet
    progress.log_start = (*reader)->log_start_offset();
    progress.log_end = (*reader)->visible_end();
  }
  return *std::move(found);
}

Result<std::vector<OffsetMove>> Groups::plan_reset(const std::string& group,
                                                   const std::vector<TopicPartition>& partitions,
                                                   const ResetTo& to) const {
  std::map<TopicPartition, std::optional<Offset>> committed;
  for (const TopicPartition& partition : partitions) committed[partition];
  auto description = describe(group);
  if (!description && partitions.empty()) return std::move(description).error();
  if (description) {
    for (const GroupProgress& progress : description->progress) {
      if (!progress.committed) continue;
      if (!partitions.empty() && !committed.contains(progress.partition)) continue;
      committed[progress.partition] = progress.committed->offset;
    }
  }
  std::vector<OffsetMove> moves;
  for (const auto& [partition, from] : committed) {
    MILLRACE_TRY(const auto reader, reader_of(*broker_.core(), partition));
    MILLRACE_TRY(const Offset asked, std::visit(Target{*reader, from}, to.where));
    const Offset start = reader->log_start_offset();
    moves.push_back(
        {partition, from, std::clamp(asked, start, std::max(reader->visible_end(), start))});
  }
  return moves;
}

Result<void> Groups::reset(const std::string& group, const std::vector<OffsetMove>& moves) const {
  engine::BrokerCore& core = *broker_.core();
  if (group.empty()) return Error(Errc::invalid_argument, "resetting a group without a name");
  MILLRACE_TRY(const auto service, GroupService::of(core));
  coordinator::CommitRequest request{{group, {}, -1}, {}};
  for (const OffsetMove& move : moves) {
    MILLRACE_CHECK(reader_of(core, move.partition));
    request.offsets.push_back(
        {move.partition, {move.to, LeaderEpoch::unknown, {}, core.clock().now(), std::nullopt}});
  }
  std::size_t members = 0;
  service->look([&](const GroupCoordinator& groups) {
    const auto* const known = groups.group(group);
    if (known != nullptr) members = known->members().size();
  });
  auto committed = members == 0 ? service->commit(request) : Result<void>();
  // Who joined between the two is found by the commit.
  if (committed && members == 0) return {};
  if (!committed && committed.error().code() != Errc::unknown_member) return committed;
  return Error(Errc::group_not_empty, "resetting the offsets of group " + group +
                                          ": it has members, which would go on elsewhere and "
                                          "commit over it; stop them first");
}

Result<void> Groups::remove(const std::string& group) const {
  MILLRACE_TRY(const auto service, GroupService::of(*broker_.core()));
  service->look([](const GroupCoordinator&) {});  // members of a process that is gone leave
  return service->remove_group(group);
}

}  // namespace millrace::inline v0
