#include <millrace/protocol/messages/create_partitions.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, CreatePartitionsRequest::Assignment& m) {
  io("BrokerIds", m.broker_ids);
}

template <typename Io>
void describe(Io& io, CreatePartitionsRequest::Topic& m) {
  io("Name", m.name);
  io("Count", m.count);
  io("Assignments", m.assignments);
}

template <typename Io>
void describe(Io& io, CreatePartitionsRequest& m) {
  io("Topics", m.topics);
  io("TimeoutMs", m.timeout_ms);
  io("ValidateOnly", m.validate_only);
}

template <typename Io>
void describe(Io& io, CreatePartitionsResponse::Topic& m) {
  io("Name", m.name);
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
}

template <typename Io>
void describe(Io& io, CreatePartitionsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("Results", m.results);
}

template struct MessageCodec<CreatePartitionsRequest>;
template struct MessageCodec<CreatePartitionsResponse>;

}  // namespace millrace::inline v0::protocol
