#include <millrace/protocol/messages/describe_client_quotas.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, DescribeClientQuotasRequest::Component& m) {
  io("EntityType", m.entity_type);
  io("MatchType", m.match_type);
  io("Match", m.match);
}

template <typename Io>
void describe(Io& io, DescribeClientQuotasRequest& m) {
  io("Components", m.components);
  io("Strict", m.strict);
}

template <typename Io>
void describe(Io& io, DescribeClientQuotasResponse::Entity& m) {
  io("EntityType", m.entity_type);
  io("EntityName", m.entity_name);
}

template <typename Io>
void describe(Io& io, DescribeClientQuotasResponse::Value& m) {
  io("Key", m.key);
  io("Value", m.value);
}

template <typename Io>
void describe(Io& io, DescribeClientQuotasResponse::Entry& m) {
  io("Entity", m.entity);
  io("Values", m.values);
}

template <typename Io>
void describe(Io& io, DescribeClientQuotasResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
  io("Entries", m.entries);
}

template struct MessageCodec<DescribeClientQuotasRequest>;
template struct MessageCodec<DescribeClientQuotasResponse>;

}  // namespace millrace::inline v0::protocol
