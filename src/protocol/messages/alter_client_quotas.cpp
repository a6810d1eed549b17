#include <millrace/protocol/messages/alter_client_quotas.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, AlterClientQuotasRequest::Entity& m) {
  io("EntityType", m.entity_type);
  io("EntityName", m.entity_name);
}

template <typename Io>
void describe(Io& io, AlterClientQuotasRequest::Operation& m) {
  io("Key", m.key);
  io("Value", m.value);
  io("Remove", m.remove);
}

template <typename Io>
void describe(Io& io, AlterClientQuotasRequest::Entry& m) {
  io("Entity", m.entity);
  io("Ops", m.ops);
}

template <typename Io>
void describe(Io& io, AlterClientQuotasRequest& m) {
  io("Entries", m.entries);
  io("ValidateOnly", m.validate_only);
}

template <typename Io>
void describe(Io& io, AlterClientQuotasResponse::Entity& m) {
  io("EntityType", m.entity_type);
  io("EntityName", m.entity_name);
}

template <typename Io>
void describe(Io& io, AlterClientQuotasResponse::Entry& m) {
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
  io("Entity", m.entity);
}

template <typename Io>
void describe(Io& io, AlterClientQuotasResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("Entries", m.entries);
}

template struct MessageCodec<AlterClientQuotasRequest>;
template struct MessageCodec<AlterClientQuotasResponse>;

}  // namespace millrace::inline v0::protocol
