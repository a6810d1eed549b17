#include <millrace/protocol/messages/describe_topic_partitions.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, DescribeTopicPartitionsRequest::Topic& m) {
  io("Name", m.name);
}

template <typename Io>
void describe(Io& io, DescribeTopicPartitionsRequest::Cursor& m) {
  io("TopicName", m.topic_name);
  io("PartitionIndex", m.partition_index);
}

template <typename Io>
void describe(Io& io, DescribeTopicPartitionsRequest& m) {
  io("Topics", m.topics);
  io("ResponsePartitionLimit", m.response_partition_limit);
  io("Cursor", m.cursor);
}

template <typename Io>
void describe(Io& io, DescribeTopicPartitionsResponse::Partition& m) {
  io("ErrorCode", m.error_code);
  io("PartitionIndex", m.partition_index);
  io("LeaderId", m.leader_id);
  io("LeaderEpoch", m.leader_epoch);
  io("ReplicaNodes", m.replica_nodes);
  io("IsrNodes", m.isr_nodes);
  io("EligibleLeaderReplicas", m.eligible_leader_replicas);
  io("LastKnownElr", m.last_known_elr);
  io("OfflineReplicas", m.offline_replicas);
}

template <typename Io>
void describe(Io& io, DescribeTopicPartitionsResponse::Topic& m) {
  io("ErrorCode", m.error_code);
  io("Name", m.name);
  io("TopicId", m.topic_id);
  io("IsInternal", m.is_internal);
  io("Partitions", m.partitions);
  io("TopicAuthorizedOperations", m.topic_authorized_operations);
}

template <typename Io>
void describe(Io& io, DescribeTopicPartitionsResponse::Cursor& m) {
  io("TopicName", m.topic_name);
  io("PartitionIndex", m.partition_index);
}

template <typename Io>
void describe(Io& io, DescribeTopicPartitionsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("Topics", m.topics);
  io("NextCursor", m.next_cursor);
}

template struct MessageCodec<DescribeTopicPartitionsRequest>;
template struct MessageCodec<DescribeTopicPartitionsResponse>;

}  // namespace millrace::inline v0::protocol
