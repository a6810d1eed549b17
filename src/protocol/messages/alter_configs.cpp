#include <millrace/protocol/messages/alter_configs.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, AlterConfigsRequest::Config& m) {
  io("Name", m.name);
  io("Value", m.value);
}

template <typename Io>
void describe(Io& io, AlterConfigsRequest::Resource& m) {
  io("ResourceType", m.resource_type);
  io("ResourceName", m.resource_name);
  io("Configs", m.configs);
}

template <typename Io>
void describe(Io& io, AlterConfigsRequest& m) {
  io("Resources", m.resources);
  io("ValidateOnly", m.validate_only);
}

template <typename Io>
void describe(Io& io, AlterConfigsResponse::Resource& m) {
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
  io("ResourceType", m.resource_type);
  io("ResourceName", m.resource_name);
}

template <typename Io>
void describe(Io& io, AlterConfigsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("Responses", m.responses);
}

template struct MessageCodec<AlterConfigsRequest>;
template struct MessageCodec<AlterConfigsResponse>;

}  // namespace millrace::inline v0::protocol
