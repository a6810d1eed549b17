#include <millrace/protocol/messages/list_partition_reassignments.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, ListPartitionReassignmentsRequest::Topic& m) {
  io("Name", m.name);
  io("PartitionIndexes", m.partition_indexes);
}

template <typename Io>
void describe(Io& io, ListPartitionReassignmentsRequest& m) {
  io("TimeoutMs", m.timeout_ms);
  io("Topics", m.topics);
}

template <typename Io>
void describe(Io& io, ListPartitionReassignmentsResponse::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("Replicas", m.replicas);
  io("AddingReplicas", m.adding_replicas);
  io("RemovingReplicas", m.removing_replicas);
}

template <typename Io>
void describe(Io& io, ListPartitionReassignmentsResponse::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, ListPartitionReassignmentsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
  io("Topics", m.topics);
}

template struct MessageCodec<ListPartitionReassignmentsRequest>;
template struct MessageCodec<ListPartitionReassignmentsResponse>;

}  // namespace millrace::inline v0::protocol
