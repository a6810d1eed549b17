#include <millrace/protocol/messages/join_group.hpp>
#include <millrace/protocol/messages/sync_group.hpp>

#include "server/kafka/handlers.hpp"
#include "server/kafka/server_state.hpp"
#include "server/wire_errors.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;
using coordinator::Membership;
using coordinator::OwnedBytes;

OwnedBytes owned(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

struct GroupsForMember {
  WireError error = WireError::none;
  std::shared_ptr<GroupService> service = {};  ///< null: `error` says why
};

/// For who may be a member of that group; a service that could not be opened cannot be asked now,
/// but perhaps later.
GroupsForMember groups_for(const Request& request, const std::string& group) {
  if (!request.may_group(Operation::read, group)) return {WireError::group_authorization_failed};
  if (group.empty()) return {WireError::invalid_group_id};
  auto groups = request.state().groups();
  if (!groups) return {WireError::coordinator_not_available};
  return {.service = *std::move(groups)};
}

template <typename Message>
Membership membership_of(const Message& message) {
  return {.group = message.group_id,
          .member = {message.member_id, message.group_instance_id},
          .generation = message.generation_id};
}

coordinator::JoinRequest join_of(const JoinGroupRequest& message, const Request& request) {
  constexpr ApiVersion first_with_member_ids = 4;
  constexpr ApiVersion first_with_skipping = 9;
  coordinator::JoinRequest wanted;
  wanted.group = message.group_id;
  wanted.member = {message.member_id, message.group_instance_id};
  wanted.client_id = request.client_id();
  wanted.client_host = "/" + request.client().host;
  wanted.session_timeout = std::chrono::milliseconds(message.session_timeout_ms);
  wanted.rebalance_timeout =
      std::chrono::milliseconds(message.rebalance_timeout_ms >= 0 ? message.rebalance_timeout_ms
                                                                  : message.session_timeout_ms);
  wanted.protocol_type = message.protocol_type;
  for (const auto& protocol : message.protocols) {
    wanted.protocols.push_back({protocol.name, owned(protocol.metadata)});
  }
  wanted.requires_member_id = request.version() >= first_with_member_ids;
  wanted.knows_skip_assignment = request.version() >= first_with_skipping;
  return wanted;
}

void answer_join(Request& request, const coordinator::JoinReply& reply) {
  JoinGroupResponse response;
  // Of what a join gives, only the session timeout can be out of its range.
  response.error_code = !reply.answer && reply.answer.error().code() == Errc::invalid_argument
                            ? WireError::invalid_session_timeout
                            : to_wire(reply.answer);
  response.member_id = reply.member_id;
  if (!reply.answer) return request.respond(response);
  const auto joined = std::make_shared<coordinator::JoinAnswer>(*reply.answer);
  response.generation_id = joined->generation;
  response.protocol_type = joined->protocol_type;
  response.protocol_name = joined->protocol;
  response.leader = joined->leader;
  response.skip_assignment = joined->skip_assignment;
  response.member_id = joined->member_id;
  for (const auto& member : joined->members) {
    response.members.push_back(
        {member.member.member_id, member.member.instance_id, member.metadata});
  }
  request.respond(response, {joined});
}

}  // namespace

void join_group(Request request) {
  const auto message = request.read<JoinGroupRequest>();
  if (!message) return request.refuse(message.error());
  const auto groups = groups_for(request, message->group_id);
  if (groups.service == nullptr) {
    JoinGroupResponse response;
    response.error_code = groups.error;
    return request.respond(response);
  }
  const auto wanted = join_of(*message, request);
  const auto moved = std::make_shared<Request>(std::move(request));
  groups.service->join(
      wanted, [moved](const coordinator::JoinReply& reply) { answer_join(*moved, reply); });
}

void sync_group(Request request) {
  const auto message = request.read<SyncGroupRequest>();
  if (!message) return request.refuse(message.error());
  SyncGroupResponse response;
  const auto groups = groups_for(request, message->group_id);
  response.error_code = groups.error;
  if (groups.service == nullptr) return request.respond(response);
  coordinator::SyncRequest wanted{.from = membership_of(*message),
                                  .protocol_type = message->protocol_type,
                                  .protocol = message->protocol_name,
                                  .assignments = {}};
  for (const auto& each : message->assignments) {
    wanted.assignments.push_back({each.member_id, owned(each.assignment)});
  }
  const auto moved = std::make_shared<Request>(std::move(request));
  groups.service->sync(wanted, [moved](const coordinator::SyncReply& reply) {
    SyncGroupResponse answer;
    answer.error_code = to_wire(reply.answer);
    if (!reply.answer) return moved->respond(answer);
    const auto synced = std::make_shared<coordinator::SyncAnswer>(*reply.answer);
    answer.protocol_type = synced->protocol_type;
    answer.protocol_name = synced->protocol;
    answer.assignment = synced->assignment;
    moved->respond(answer, {synced});
  });
}

HeartbeatResponse heartbeat(const HeartbeatRequest& message, const Request& request) {
  HeartbeatResponse response;
  const auto groups = groups_for(request, message.group_id);
  response.error_code = groups.error;
  if (groups.service == nullptr) return response;
  response.error_code = to_wire(groups.service->heartbeat(membership_of(message)));
  return response;
}

LeaveGroupResponse leave_group(const LeaveGroupRequest& message, const Request& request) {
  constexpr ApiVersion first_with_many = 3;
  LeaveGroupResponse response;
  const auto groups = groups_for(request, message.group_id);
  response.error_code = groups.error;
  if (groups.service == nullptr) return response;
  if (request.version() < first_with_many) {
    response.error_code =
        to_wire(groups.service->leave(message.group_id, {message.member_id, std::nullopt}));
    return response;
  }
  for (const auto& member : message.members) {
    const auto left =
        groups.service->leave(message.group_id, {member.member_id, member.group_instance_id});
    response.members.push_back({member.member_id, member.group_instance_id, to_wire(left)});
  }
  return response;
}

}  // namespace millrace::inline v0::server
