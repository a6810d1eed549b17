#include <millrace/protocol/messages/metadata.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, MetadataRequest::Topic& m) {
  io("TopicId", m.topic_id, since(10));
  io("Name", m.name, nullable_since(10));
}

template <typename Io>
void describe(Io& io, MetadataRequest& m) {
  io("Topics", m.topics, nullable_since(1));
  io("AllowAutoTopicCreation", m.allow_auto_topic_creation, since(4));
  io("IncludeClusterAuthorizedOperations", m.include_cluster_authorized_operations, between(8, 10));
  io("IncludeTopicAuthorizedOperations", m.include_topic_authorized_operations, since(8));
}

template <typename Io>
void describe(Io& io, MetadataResponse::Broker& m) {
  io("NodeId", m.node_id);
  io("Host", m.host);
  io("Port", m.port);
  io("Rack", m.rack, since(1));
}

template <typename Io>
void describe(Io& io, MetadataResponse::Partition& m) {
  io("ErrorCode", m.error_code);
  io("PartitionIndex", m.partition_index);
  io("LeaderId", m.leader_id);
  io("LeaderEpoch", m.leader_epoch, since(7));
  io("ReplicaNodes", m.replica_nodes);
  io("IsrNodes", m.isr_nodes);
  io("OfflineReplicas", m.offline_replicas, since(5));
}

template <typename Io>
void describe(Io& io, MetadataResponse::Topic& m) {
  io("ErrorCode", m.error_code);
  io("Name", m.name, nullable_since(12));
  io("TopicId", m.topic_id, since(10));
  io("IsInternal", m.is_internal, since(1));
  io("Partitions", m.partitions);
  io("TopicAuthorizedOperations", m.topic_authorized_operations, since(8));
}

template <typename Io>
void describe(Io& io, MetadataResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms, since(3));
  io("Brokers", m.brokers);
  io("ClusterId", m.cluster_id, since(2));
  io("ControllerId", m.controller_id, since(1));
  io("Topics", m.topics);
  io("ClusterAuthorizedOperations", m.cluster_authorized_operations, between(8, 10));
}

template struct MessageCodec<MetadataRequest>;
template struct MessageCodec<MetadataResponse>;

}  // namespace millrace::inline v0::protocol
