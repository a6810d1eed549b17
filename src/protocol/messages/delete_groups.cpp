#include <millrace/protocol/messages/delete_groups.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, DeleteGroupsRequest& m) {
  io("GroupsNames", m.groups_names);
}

template <typename Io>
void describe(Io& io, DeleteGroupsResponse::Group& m) {
  io("GroupId", m.group_id);
  io("ErrorCode", m.error_code);
}

template <typename Io>
void describe(Io& io, DeleteGroupsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("Results", m.results);
}

template struct MessageCodec<DeleteGroupsRequest>;
template struct MessageCodec<DeleteGroupsResponse>;

}  // namespace millrace::inline v0::protocol
