#include <millrace/protocol/messages/delete_acls.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, DeleteAclsRequest::Filter& m) {
  io("ResourceTypeFilter", m.resource_type_filter);
  io("ResourceNameFilter", m.resource_name_filter);
  io("PatternTypeFilter", m.pattern_type_filter, since(1));
  io("PrincipalFilter", m.principal_filter);
  io("HostFilter", m.host_filter);
  io("Operation", m.operation);
  io("PermissionType", m.permission_type);
}

template <typename Io>
void describe(Io& io, DeleteAclsRequest& m) {
  io("Filters", m.filters);
}

template <typename Io>
void describe(Io& io, DeleteAclsResponse::MatchingAcl& m) {
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
  io("ResourceType", m.resource_type);
  io("ResourceName", m.resource_name);
  io("PatternType", m.pattern_type, since(1));
  io("Principal", m.principal);
  io("Host", m.host);
  io("Operation", m.operation);
  io("PermissionType", m.permission_type);
}

template <typename Io>
void describe(Io& io, DeleteAclsResponse::FilterResult& m) {
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
  io("MatchingAcls", m.matching_acls);
}

template <typename Io>
void describe(Io& io, DeleteAclsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("FilterResults", m.filter_results);
}

template struct MessageCodec<DeleteAclsRequest>;
template struct MessageCodec<DeleteAclsResponse>;

}  // namespace millrace::inline v0::protocol
