#include <millrace/protocol/messages/sync_group.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, SyncGroupRequest::Assignment& m) {
  io("MemberId", m.member_id);
  io("Assignment", m.assignment);
}

template <typename Io>
void describe(Io& io, SyncGroupRequest& m) {
  io("GroupId", m.group_id);
  io("GenerationId", m.generation_id);
  io("MemberId", m.member_id);
  io("GroupInstanceId", m.group_instance_id, since(3));
  io("ProtocolType", m.protocol_type, since(5));
  io("ProtocolName", m.protocol_name, since(5));
  io("Assignments", m.assignments);
}

template <typename Io>
void describe(Io& io, SyncGroupResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms, since(1));
  io("ErrorCode", m.error_code);
  io("ProtocolType", m.protocol_type, since(5));
  io("ProtocolName", m.protocol_name, since(5));
  io("Assignment", m.assignment);
}

template struct MessageCodec<SyncGroupRequest>;
template struct MessageCodec<SyncGroupResponse>;

}  // namespace millrace::inline v0::protocol
