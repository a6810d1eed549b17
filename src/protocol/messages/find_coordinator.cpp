#include <millrace/protocol/messages/find_coordinator.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, FindCoordinatorRequest& m) {
  io("Key", m.key, until(3));
  io("KeyType", m.key_type, since(1));
  io("CoordinatorKeys", m.coordinator_keys, since(4));
}

template <typename Io>
void describe(Io& io, FindCoordinatorResponse::Coordinator& m) {
  io("Key", m.key);
  io("NodeId", m.node_id);
  io("Host", m.host);
  io("Port", m.port);
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
}

template <typename Io>
void describe(Io& io, FindCoordinatorResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms, since(1));
  io("ErrorCode", m.error_code, until(3));
  io("ErrorMessage", m.error_message, between(1, 3));
  io("NodeId", m.node_id, until(3));
  io("Host", m.host, until(3));
  io("Port", m.port, until(3));
  io("Coordinators", m.coordinators, since(4));
}

template struct MessageCodec<FindCoordinatorRequest>;
template struct MessageCodec<FindCoordinatorResponse>;

}  // namespace millrace::inline v0::protocol
