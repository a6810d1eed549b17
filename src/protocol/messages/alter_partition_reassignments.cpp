#include <millrace/protocol/messages/alter_partition_reassignments.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, AlterPartitionReassignmentsRequest::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("Replicas", m.replicas);
}

template <typename Io>
void describe(Io& io, AlterPartitionReassignmentsRequest::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, AlterPartitionReassignmentsRequest& m) {
  io("TimeoutMs", m.timeout_ms);
  io("Topics", m.topics);
}

template <typename Io>
void describe(Io& io, AlterPartitionReassignmentsResponse::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
}

template <typename Io>
void describe(Io& io, AlterPartitionReassignmentsResponse::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, AlterPartitionReassignmentsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
  io("Responses", m.responses);
}

template struct MessageCodec<AlterPartitionReassignmentsRequest>;
template struct MessageCodec<AlterPartitionReassignmentsResponse>;

}  // namespace millrace::inline v0::protocol
