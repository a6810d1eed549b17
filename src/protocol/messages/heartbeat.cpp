#include <millrace/protocol/messages/heartbeat.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, HeartbeatRequest& m) {
  io("GroupId", m.group_id);
  io("GenerationId", m.generation_id);
  io("MemberId", m.member_id);
  io("GroupInstanceId", m.group_instance_id, since(3));
}

template <typename Io>
void describe(Io& io, HeartbeatResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms, since(1));
  io("ErrorCode", m.error_code);
}

template struct MessageCodec<HeartbeatRequest>;
template struct MessageCodec<HeartbeatResponse>;

}  // namespace millrace::inline v0::protocol
