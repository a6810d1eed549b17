#include <millrace/protocol/messages/delete_topics.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, DeleteTopicsRequest::Topic& m) {
  io("Name", m.name);
  io("TopicId", m.topic_id);
}

template <typename Io>
void describe(Io& io, DeleteTopicsRequest& m) {
  io("Topics", m.topics, since(6));
  io("TopicNames", m.topic_names, until(5));
  io("TimeoutMs", m.timeout_ms);
}

template <typename Io>
void describe(Io& io, DeleteTopicsResponse::Topic& m) {
  io("Name", m.name, nullable_since(6));
  io("TopicId", m.topic_id, since(6));
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message, since(5));
}

template <typename Io>
void describe(Io& io, DeleteTopicsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms, since(1));
  io("Responses", m.responses);
}

template struct MessageCodec<DeleteTopicsRequest>;
template struct MessageCodec<DeleteTopicsResponse>;

}  // namespace millrace::inline v0::protocol
