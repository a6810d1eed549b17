#include <millrace/protocol/messages/offset_delete.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, OffsetDeleteRequest::Partition& m) {
  io("PartitionIndex", m.partition_index);
}

template <typename Io>
void describe(Io& io, OffsetDeleteRequest::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, OffsetDeleteRequest& m) {
  io("GroupId", m.group_id);
  io("Topics", m.topics);
}

template <typename Io>
void describe(Io& io, OffsetDeleteResponse::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("ErrorCode", m.error_code);
}

template <typename Io>
void describe(Io& io, OffsetDeleteResponse::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, OffsetDeleteResponse& m) {
  io("ErrorCode", m.error_code);
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("Topics", m.topics);
}

template struct MessageCodec<OffsetDeleteRequest>;
template struct MessageCodec<OffsetDeleteResponse>;

}  // namespace millrace::inline v0::protocol
