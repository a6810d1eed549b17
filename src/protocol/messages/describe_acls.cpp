#include <millrace/protocol/messages/describe_acls.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, DescribeAclsRequest& m) {
  io("ResourceTypeFilter", m.resource_type_filter);
  io("ResourceNameFilter", m.resource_name_filter);
  io("PatternTypeFilter", m.pattern_type_filter, since(1));
  io("PrincipalFilter", m.principal_filter);
  io("HostFilter", m.host_filter);
  io("Operation", m.operation);
  io("PermissionType", m.permission_type);
}

template <typename Io>
void describe(Io& io, DescribeAclsResponse::Acl& m) {
  io("Principal", m.principal);
  io("Host", m.host);
  io("Operation", m.operation);
  io("PermissionType", m.permission_type);
}

template <typename Io>
void describe(Io& io, DescribeAclsResponse::Resource& m) {
  io("ResourceType", m.resource_type);
  io("ResourceName", m.resource_name);
  io("PatternType", m.pattern_type, since(1));
  io("Acls", m.acls);
}

template <typename Io>
void describe(Io& io, DescribeAclsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
  io("Resources", m.resources);
}

template struct MessageCodec<DescribeAclsRequest>;
template struct MessageCodec<DescribeAclsResponse>;

}  // namespace millrace::inline v0::protocol
