#include <millrace/protocol/messages/list_groups.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, ListGroupsRequest& m) {
  io("StatesFilter", m.states_filter, since(4));
  io("TypesFilter", m.types_filter, since(5));
}

template <typename Io>
void describe(Io& io, ListGroupsResponse::Group& m) {
  io("GroupId", m.group_id);
  io("ProtocolType", m.protocol_type);
  io("GroupState", m.group_state, since(4));
  io("GroupType", m.group_type, since(5));
}

template <typename Io>
void describe(Io& io, ListGroupsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms, since(1));
  io("ErrorCode", m.error_code);
  io("Groups", m.groups);
}

template struct MessageCodec<ListGroupsRequest>;
template struct MessageCodec<ListGroupsResponse>;

}  // namespace millrace::inline v0::protocol
