#include "remote_groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <millrace/client/errors.hpp>
#include <millrace/coordinator/consumer_protocol.hpp>
#include <millrace/protocol/messages/delete_groups.hpp>
#include <millrace/protocol/messages/describe_groups.hpp>
#include <millrace/protocol/messages/list_groups.hpp>
#include <millrace/protocol/messages/offset_fetch.hpp>

#include "remote_offsets.hpp"

namespace millrace::inline v0::cli::remote {
namespace {

using namespace protocol;
using client::check;
using client::Cluster;
using client::Connection;

constexpr std::string_view no_group_state = "Dead";

Error not_one_answer(std::string_view doing) {
  return {Errc::corrupt_data,
          fmt::format("{}: the answer is not about the one group that was asked about", doing)};
}

Result<Connection*> coordinator_of(Cluster& cluster, const std::string& group) {
  return cluster.coordinator(Cluster::CoordinatorOf::group, group);
}

GroupMemberInfo info_of(const DescribeGroupsResponse::Member& member) {
  GroupMemberInfo info{
      member.member_id, member.group_instance_id, member.client_id, member.client_host, {}};
  if (auto assignment = coordinator::decode_assignment(member.member_assignment)) {
    info.assignment = std::move(assignment->partitions);
  }
  return info;
}

/// Its state and members; a group that is not there is Dead.
Result<GroupDescription> look_at(Connection& coordinator, const std::string& group) {
  const DescribeGroupsRequest request{.groups = {group}};
  MILLRACE_TRY(const auto response, coordinator.call<DescribeGroupsResponse>(request));
  const std::string doing = "describing group " + group;
  if (response.groups.size() != 1) return not_one_answer(doing);
  const auto& found = response.groups.front();
  GroupDescription description{
      {group, found.group_state, found.protocol_data, found.members.size()}, 0, {}, {}};
  if (found.error_code == WireError::group_id_not_found) {
    description.summary.state = no_group_state;
    return description;
  }
  MILLRACE_CHECK(check(doing, found.error_code));
  for (const auto& member : found.members) description.members.push_back(info_of(member));
  return description;
}

using Progress = std::map<TopicPartition, GroupProgress>;

Result<void> add_committed(Connection& coordinator, const std::string& group, Progress& progress) {
  constexpr ApiVersion last_with_one_group = 7;
  OffsetFetchRequest request{.group_id = group, .topics = std::nullopt};
  MILLRACE_TRY(const auto response,
               coordinator.call<OffsetFetchResponse>(request, last_with_one_group));
  MILLRACE_CHECK(check("asking what group " + group + " has committed", response.error_code));
  for (const auto& topic : response.topics) {
    for (const auto& one : topic.partitions) {
      if (one.committed_offset < 0) continue;
      progress[{topic.name, one.partition_index}].committed =
          Committed{Offset{one.committed_offset}, one.metadata.value_or("")};
    }
  }
  return {};
}

Error unknown(const std::string& group) {
  return {Errc::unknown_group, "there is no group " + group +
                                   ": nobody joined it or committed for it, or it has expired"};
}

struct Target {
  const Offsets& offsets;
  const std::optional<Offset>& committed;
  OffsetFinder& finder;
  const TopicPartition& partition;

  Result<Offset> operator()(ResetTo::Begin) const { return offsets.start; }
  Result<Offset> operator()(ResetTo::End) const { return offsets.end; }
  Result<Offset> operator()(ResetTo::Current) const { return committed.value_or(offsets.end); }
  Result<Offset> operator()(ResetTo::At at) const { return at.offset; }
  Result<Offset> operator()(ResetTo::Time from) const {
    MILLRACE_TRY(const auto found, finder.find(partition, from.time));
    return found.value_or(offsets.end);
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

Result<std::vector<GroupSummary>> list_groups(Cluster& cluster) {
  MILLRACE_TRY(const auto metadata, cluster.metadata(std::vector<std::string>()));
  std::vector<GroupSummary> all;
  for (const auto& broker : metadata.brokers) {
    MILLRACE_TRY(Connection* const to, cluster.node(broker.node_id));
    MILLRACE_TRY(const auto response, to->call<ListGroupsResponse>(ListGroupsRequest{}));
    MILLRACE_CHECK(check("listing the groups", response.error_code));
    for (const auto& group : response.groups) {
      MILLRACE_TRY(auto description, look_at(*to, group.group_id));
      all.push_back(std::move(description.summary));
    }
  }
  std::sort(all.begin(), all.end(),
            [](const GroupSummary& a, const GroupSummary& b) { return a.id < b.id; });
  return all;
}

Result<GroupDescription> describe_group(Cluster& cluster, const std::string& group) {
  MILLRACE_TRY(Connection* const to, coordinator_of(cluster, group));
  MILLRACE_TRY(auto description, look_at(*to, group));
  if (description.summary.state == no_group_state) return unknown(group);
  Progress progress;
  MILLRACE_CHECK(add_committed(*to, group, progress));
  for (const GroupMemberInfo& member : description.members) {
    for (const TopicPartition& partition : member.assignment) {
      progress[partition].member_id = member.id;
    }
  }
  OffsetFinder finder(cluster);
  for (auto& [partition, one] : progress) {
    one.partition = partition;
    if (const auto offsets = finder.offsets(partition)) {
      one.log_start = offsets->start;
      one.log_end = offsets->end;
    } else if (offsets.error().code() != Errc::unknown_topic) {
      return offsets.error();
    }
    description.progress.push_back(std::move(one));
  }
  return description;
}

Result<std::vector<TopicPartition>> partitions_in(Cluster& cluster,
                                                  const std::vector<TopicScope>& scopes) {
  std::vector<TopicPartition> all;
  for (const TopicScope& scope : scopes) {
    MILLRACE_TRY(const auto topic, cluster.topic(scope.topic));
    for (const PartitionId id : scope.partitions) {
      MILLRACE_CHECK(cluster.leader_of(topic, id));
      all.push_back({scope.topic, id});
    }
    if (!scope.partitions.empty()) continue;
    for (const auto& one : topic.partitions) all.push_back({scope.topic, one.partition_index});
  }
  return all;
}

Result<std::vector<OffsetMove>> plan_reset(Cluster& cluster, const std::string& group,
                                           const std::vector<TopicPartition>& partitions,
                                           const ResetTo& to) {
  MILLRACE_TRY(Connection* const coordinator, coordinator_of(cluster, group));
  Progress progress;
  MILLRACE_CHECK(add_committed(*coordinator, group, progress));
  if (partitions.empty() && progress.empty()) return unknown(group);
  std::map<TopicPartition, std::optional<Offset>> committed;
  for (const TopicPartition& partition : partitions) committed[partition];
  for (const auto& [partition, one] : progress) {
    if (partitions.empty() || committed.contains(partition)) {
      committed[partition] = one.committed->offset;
    }
  }
  OffsetFinder finder(cluster);
  std::vector<OffsetMove> moves;
  for (const auto& [partition, from] : committed) {
    MILLRACE_TRY(const auto offsets, finder.offsets(partition));
    const Target target{offsets, from, finder, partition};
    MILLRACE_TRY(const Offset asked, std::visit(target, to.where));
    moves.push_back(
        {partition, from, std::clamp(asked, offsets.start, std::max(offsets.end, offsets.start))});
  }
  return moves;
}

Result<void> reset_group(Cluster& cluster, const std::string& group,
                         const std::vector<OffsetMove>& moves) {
  MILLRACE_TRY(Connection* const to, coordinator_of(cluster, group));
  MILLRACE_TRY(const auto there, look_at(*to, group));
  const Error has_members(Errc::group_not_empty,
                          "resetting the offsets of group " + group +
                              ": it has members, which would go on elsewhere and commit over it; "
                              "stop them first");
  if (there.summary.members > 0) return has_members;
  std::vector<std::pair<TopicPartition, Offset>> offsets;
  for (const OffsetMove& move : moves) offsets.emplace_back(move.partition, move.to);
  auto committed = commit_offsets(*to, group, offsets);
  if (!committed && committed.error().code() == Errc::unknown_member) return has_members;
  return committed;
}

Result<void> remove_group(Cluster& cluster, const std::string& group) {
  MILLRACE_TRY(Connection* const to, coordinator_of(cluster, group));
  const DeleteGroupsRequest request{.groups_names = {group}};
  MILLRACE_TRY(const auto response, to->call<DeleteGroupsResponse>(request));
  const std::string doing = "deleting group " + group;
  if (response.results.size() != 1) return not_one_answer(doing);
  return check(doing, response.results.front().error_code);
}

}  // namespace millrace::inline v0::cli::remote
