#include <millrace/protocol/messages/join_group.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, JoinGroupRequest::Protocol& m) {
  io("Name", m.name);
  io("Metadata", m.metadata);
}

template <typename Io>
void describe(Io& io, JoinGroupRequest& m) {
  io("GroupId", m.group_id);
  io("SessionTimeoutMs", m.session_timeout_ms);
  io("RebalanceTimeoutMs", m.rebalance_timeout_ms, since(1));
  io("MemberId", m.member_id);
  io("GroupInstanceId", m.group_instance_id, since(5));
  io("ProtocolType", m.protocol_type);
  io("Protocols", m.protocols);
  io("Reason", m.reason, since(8));
}

template <typename Io>
void describe(Io& io, JoinGroupResponse::Member& m) {
  io("MemberId", m.member_id);
  io("GroupInstanceId", m.group_instance_id, since(5));
  io("Metadata", m.metadata);
}

template <typename Io>
void describe(Io& io, JoinGroupResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms, since(2));
  io("ErrorCode", m.error_code);
  io("GenerationId", m.generation_id);
  io("ProtocolType", m.protocol_type, since(7));
  io("ProtocolName", m.protocol_name, nullable_since(7));
  io("Leader", m.leader);
  io("SkipAssignment", m.skip_assignment, since(9));
  io("MemberId", m.member_id);
  io("Members", m.members);
}

template struct MessageCodec<JoinGroupRequest>;
template struct MessageCodec<JoinGroupResponse>;

}  // namespace millrace::inline v0::protocol
