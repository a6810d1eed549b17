#include <millrace/protocol/messages/leave_group.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, LeaveGroupRequest::Member& m) {
  io("MemberId", m.member_id);
  io("GroupInstanceId", m.group_instance_id);
  io("Reason", m.reason, since(5));
}

template <typename Io>
void describe(Io& io, LeaveGroupRequest& m) {
  io("GroupId", m.group_id);
  io("MemberId", m.member_id, until(2));
  io("Members", m.members, since(3));
}

template <typename Io>
void describe(Io& io, LeaveGroupResponse::Member& m) {
  io("MemberId", m.member_id);
  io("GroupInstanceId", m.group_instance_id);
  io("ErrorCode", m.error_code);
}

template <typename Io>
void describe(Io& io, LeaveGroupResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms, since(1));
  io("ErrorCode", m.error_code);
  io("Members", m.members, since(3));
}

template struct MessageCodec<LeaveGroupRequest>;
template struct MessageCodec<LeaveGroupResponse>;

}  // namespace millrace::inline v0::protocol
