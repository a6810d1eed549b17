#include <millrace/protocol/messages/create_acls.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, CreateAclsRequest::Acl& m) {
  io("ResourceType", m.resource_type);
  io("ResourceName", m.resource_name);
  io("ResourcePatternType", m.resource_pattern_type, since(1));
  io("Principal", m.principal);
  io("Host", m.host);
  io("Operation", m.operation);
  io("PermissionType", m.permission_type);
}

template <typename Io>
void describe(Io& io, CreateAclsRequest& m) {
  io("Creations", m.creations);
}

template <typename Io>
void describe(Io& io, CreateAclsResponse::Result& m) {
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
}

template <typename Io>
void describe(Io& io, CreateAclsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("Results", m.results);
}

template struct MessageCodec<CreateAclsRequest>;
template struct MessageCodec<CreateAclsResponse>;

}  // namespace millrace::inline v0::protocol
