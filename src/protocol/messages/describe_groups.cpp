#include <millrace/protocol/messages/describe_groups.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, DescribeGroupsRequest& m) {
  io("Groups", m.groups);
  io("IncludeAuthorizedOperations", m.include_authorized_operations, since(3));
}

template <typename Io>
void describe(Io& io, DescribeGroupsResponse::Member& m) {
  io("MemberId", m.member_id);
  io("GroupInstanceId", m.group_instance_id, since(4));
  io("ClientId", m.client_id);
  io("ClientHost", m.client_host);
  io("MemberMetadata", m.member_metadata);
  io("MemberAssignment", m.member_assignment);
}

template <typename Io>
void describe(Io& io, DescribeGroupsResponse::Group& m) {
  io("ErrorCode", m.error_code);
  io("GroupId", m.group_id);
  io("GroupState", m.group_state);
  io("ProtocolType", m.protocol_type);
  io("ProtocolData", m.protocol_data);
  io("Members", m.members);
  io("AuthorizedOperations", m.authorized_operations, since(3));
}

template <typename Io>
void describe(Io& io, DescribeGroupsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms, since(1));
  io("Groups", m.groups);
}

template struct MessageCodec<DescribeGroupsRequest>;
template struct MessageCodec<DescribeGroupsResponse>;

}  // namespace millrace::inline v0::protocol
