#include <millrace/protocol/messages/describe_log_dirs.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, DescribeLogDirsRequest::Topic& m) {
  io("Topic", m.topic);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, DescribeLogDirsRequest& m) {
  io("Topics", m.topics);
}

template <typename Io>
void describe(Io& io, DescribeLogDirsResponse::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("PartitionSize", m.partition_size);
  io("OffsetLag", m.offset_lag);
  io("IsFutureKey", m.is_future_key);
}

template <typename Io>
void describe(Io& io, DescribeLogDirsResponse::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, DescribeLogDirsResponse::Directory& m) {
  io("ErrorCode", m.error_code);
  io("LogDir", m.log_dir);
  io("Topics", m.topics);
  io("TotalBytes", m.total_bytes, since(4));
  io("UsableBytes", m.usable_bytes, since(4));
}

template <typename Io>
void describe(Io& io, DescribeLogDirsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("ErrorCode", m.error_code, since(3));
  io("Results", m.results);
}

template struct MessageCodec<DescribeLogDirsRequest>;
template struct MessageCodec<DescribeLogDirsResponse>;

}  // namespace millrace::inline v0::protocol
