#include <millrace/protocol/messages/list_offsets.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, ListOffsetsRequest::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("CurrentLeaderEpoch", m.current_leader_epoch, since(4));
  io("Timestamp", m.timestamp);
  io("MaxNumOffsets", m.max_num_offsets, until(0));
}

template <typename Io>
void describe(Io& io, ListOffsetsRequest::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, ListOffsetsRequest& m) {
  io("ReplicaId", m.replica_id);
  io("IsolationLevel", m.isolation_level, since(2));
  io("Topics", m.topics);
}

template <typename Io>
void describe(Io& io, ListOffsetsResponse::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("ErrorCode", m.error_code);
  io("OldStyleOffsets", m.old_style_offsets, until(0));
  io("Timestamp", m.timestamp, since(1));
  io("Offset", m.offset, since(1));
  io("LeaderEpoch", m.leader_epoch, since(4));
}

template <typename Io>
void describe(Io& io, ListOffsetsResponse::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, ListOffsetsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms, since(2));
  io("Topics", m.topics);
}

template struct MessageCodec<ListOffsetsRequest>;
template struct MessageCodec<ListOffsetsResponse>;

}  // namespace millrace::inline v0::protocol
