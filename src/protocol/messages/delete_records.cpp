#include <millrace/protocol/messages/delete_records.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, DeleteRecordsRequest::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("Offset", m.offset);
}

template <typename Io>
void describe(Io& io, DeleteRecordsRequest::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, DeleteRecordsRequest& m) {
  io("Topics", m.topics);
  io("TimeoutMs", m.timeout_ms);
}

template <typename Io>
void describe(Io& io, DeleteRecordsResponse::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("LowWatermark", m.low_watermark);
  io("ErrorCode", m.error_code);
}

template <typename Io>
void describe(Io& io, DeleteRecordsResponse::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, DeleteRecordsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("Topics", m.topics);
}

template struct MessageCodec<DeleteRecordsRequest>;
template struct MessageCodec<DeleteRecordsResponse>;

}  // namespace millrace::inline v0::protocol
