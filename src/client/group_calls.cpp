#include <fmt/format.h>

#include <millrace/client/errors.hpp>
#include <millrace/client/group_calls.hpp>
#include <millrace/protocol/messages/heartbeat.hpp>
#include <millrace/protocol/messages/join_group.hpp>
#include <millrace/protocol/messages/leave_group.hpp>
#include <millrace/protocol/messages/offset_commit.hpp>
#include <millrace/protocol/messages/offset_fetch.hpp>
#include <millrace/protocol/messages/sync_group.hpp>

namespace millrace::inline v0::client {

using namespace protocol;
using coordinator::JoinReply;
using coordinator::SyncReply;

namespace {

coordinator::OwnedBytes owned(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

std::int32_t number(coordinator::Milliseconds time) {
  return static_cast<std::int32_t>(time.count());
}

JoinGroupRequest to_wire(const coordinator::JoinRequest& from) {
  JoinGroupRequest to{.group_id = from.group,
                      .session_timeout_ms = number(from.session_timeout),
                      .rebalance_timeout_ms = number(from.rebalance_timeout),
                      .member_id = from.member.member_id,
                      .group_instance_id = from.member.instance_id,
                      .protocol_type = from.protocol_type};
  for (const auto& one : from.protocols) to.protocols.push_back({one.name, one.metadata});
  return to;
}

coordinator::JoinAnswer from_wire(const JoinGroupResponse& from,
                                  const coordinator::JoinRequest& request) {
  coordinator::JoinAnswer to{.generation = from.generation_id,
                             .protocol_type = from.protocol_type.value_or(request.protocol_type),
                             .protocol = from.protocol_name.value_or(""),
                             .leader = from.leader,
                             .member_id = from.member_id,
                             .members = {},
                             .skip_assignment = from.skip_assignment};
  for (const auto& member : from.members) {
    to.members.push_back({{member.member_id, member.group_instance_id}, owned(member.metadata)});
  }
  return to;
}

}  // namespace

JoinReply join(Connection& coordinator, const coordinator::JoinRequest& request) {
  const auto response = coordinator.call<JoinGroupResponse>(to_wire(request));
  if (!response) return {{}, response.error()};
  if (response->error_code == WireError::none) return {{}, from_wire(*response, request)};
  return {{}, refused("joining group " + request.group, response->error_code), response->member_id};
}

SyncReply sync(Connection& coordinator, const coordinator::SyncRequest& request) {
  SyncGroupRequest message{.group_id = request.from.group,
                           .generation_id = request.from.generation,
                           .member_id = request.from.member.member_id,
                           .group_instance_id = request.from.member.instance_id,
                           .protocol_type = request.protocol_type,
                           .protocol_name = request.protocol};
  for (const auto& one : request.assignments) {
    message.assignments.push_back({one.member_id, one.assignment});
  }
  const auto response = coordinator.call<SyncGroupResponse>(message);
  if (!response) return {{}, response.error()};
  if (response->error_code != WireError::none) {
    return {{}, refused("syncing with group " + request.from.group, response->error_code)};
  }
  return {
      {},
      coordinator::SyncAnswer{response->protocol_type.value_or(""),
                              response->protocol_name.value_or(""), owned(response->assignment)}};
}

Result<void> heartbeat(Connection& coordinator, const coordinator::Membership& from) {
  const HeartbeatRequest request{.group_id = from.group,
                                 .generation_id = from.generation,
                                 .member_id = from.member.member_id,
                                 .group_instance_id = from.member.instance_id};
  MILLRACE_TRY(const auto response, coordinator.call<HeartbeatResponse>(request));
  return check("keeping alive in group " + from.group, response.error_code);
}

Result<void> leave(Connection& coordinator, const std::string& group,
                   const coordinator::MemberIdentity& member) {
  LeaveGroupRequest request{.group_id = group, .member_id = member.member_id};
  request.members.push_back({member.member_id, member.instance_id, std::nullopt});
  MILLRACE_TRY(const auto response, coordinator.call<LeaveGroupResponse>(request));
  const std::string doing = "leaving group " + group;
  MILLRACE_CHECK(check(doing, response.error_code));
  for (const auto& one : response.members) MILLRACE_CHECK(check(doing, one.error_code));
  return {};
}

Result<void> commit(Connection& coordinator, const coordinator::CommitRequest& request) {
  OffsetCommitRequest message{.group_id = request.from.group,
                              .generation_id_or_member_epoch = request.from.generation,
                              .member_id = request.from.member.member_id,
                              .group_instance_id = request.from.member.instance_id};
  std::map<std::string, std::vector<OffsetCommitRequest::Partition>> by_topic;
  for (const auto& one : request.offsets) {
    by_topic[one.partition.topic].push_back(
        {.partition_index = one.partition.partition,
         .committed_offset = one.committed.offset.value(),
         .committed_leader_epoch = static_cast<std::int32_t>(one.committed.leader_epoch),
         .committed_metadata = one.committed.metadata});
  }
  for (auto& [topic, partitions] : by_topic) {
    message.topics.push_back({topic, std::move(partitions)});
  }
  MILLRACE_TRY(const auto response, coordinator.call<OffsetCommitResponse>(message));
  for (const auto& topic : response.topics) {
    for (const auto& one : topic.partitions) {
      const auto done = check("committing for group " + request.from.group, one.error_code);
      if (!done) return done.error().at(topic.name, one.partition_index);
    }
  }
  return {};
}

Result<CommittedOffsets> committed(Connection& coordinator, const std::string& group,
                                   const std::vector<TopicPartition>& partitions) {
  constexpr ApiVersion last_with_one_group = 7;
  OffsetFetchRequest request{.group_id = group, .require_stable = true};
  std::map<std::string, std::vector<std::int32_t>> by_topic;
  for (const auto& one : partitions) by_topic[one.topic].push_back(one.partition);
  for (auto& [topic, ids] : by_topic) request.topics->push_back({topic, std::move(ids)});
  MILLRACE_TRY(const auto response,
               coordinator.call<OffsetFetchResponse>(request, last_with_one_group));
  const std::string doing = "asking what group " + group + " has committed";
  MILLRACE_CHECK(check(doing, response.error_code));
  CommittedOffsets found;
  for (const auto& topic : response.topics) {
    for (const auto& one : topic.partitions) {
      const TopicPartition partition{topic.name, one.partition_index};
      if (one.error_code == WireError::unstable_offset_commit) {
        found.unsettled.push_back(partition);
        continue;
      }
      MILLRACE_CHECK(check(doing, one.error_code));
      if (one.committed_offset < 0) continue;
      auto& offset = found.offsets[partition];
      offset.offset = Offset{one.committed_offset};
      offset.metadata = one.metadata.value_or("");
    }
  }
  return found;
}

}  // namespace millrace::inline v0::client
