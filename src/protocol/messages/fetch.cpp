#include <millrace/protocol/messages/fetch.hpp>

#include "protocol/message_io.hpp"
#include "protocol/messages/current_leader.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, FetchRequest::ReplicaState& m) {
  io("ReplicaId", m.replica_id);
  io("ReplicaEpoch", m.replica_epoch);
}

template <typename Io>
void describe(Io& io, FetchRequest::Partition& m) {
  io("Partition", m.partition);
  io("CurrentLeaderEpoch", m.current_leader_epoch, since(9));
  io("FetchOffset", m.fetch_offset);
  io("LastFetchedEpoch", m.last_fetched_epoch, since(12));
  io("LogStartOffset", m.log_start_offset, since(5));
  io("PartitionMaxBytes", m.partition_max_bytes);
}

template <typename Io>
void describe(Io& io, FetchRequest::Topic& m) {
  io("Topic", m.topic, until(12));
  io("TopicId", m.topic_id, since(13));
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, FetchRequest::ForgottenTopic& m) {
  io("Topic", m.topic, until(12));
  io("TopicId", m.topic_id, since(13));
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, FetchRequest& m) {
  io("ReplicaId", m.replica_id, until(14));
  io("MaxWaitMs", m.max_wait_ms);
  io("MinBytes", m.min_bytes);
  io("MaxBytes", m.max_bytes, since(3));
  io("IsolationLevel", m.isolation_level, since(4));
  io("SessionId", m.session_id, since(7));
  io("SessionEpoch", m.session_epoch, since(7));
  io("Topics", m.topics);
  io("ForgottenTopicsData", m.forgotten_topics_data, since(7));
  io("RackId", m.rack_id, since(11));
  io.tagged(0, "ClusterId", m.cluster_id, since(12));
  io.tagged(1, "ReplicaState", m.replica_state, since(15));
}

template <typename Io>
void describe(Io& io, FetchResponse::EpochEndOffset& m) {
  io("Epoch", m.epoch);
  io("EndOffset", m.end_offset);
}

template <typename Io>
void describe(Io& io, FetchResponse::SnapshotId& m) {
  io("EndOffset", m.end_offset);
  io("Epoch", m.epoch);
}

template <typename Io>
void describe(Io& io, FetchResponse::AbortedTransaction& m) {
  io("ProducerId", m.producer_id);
  io("FirstOffset", m.first_offset);
}

template <typename Io>
void describe(Io& io, FetchResponse::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("ErrorCode", m.error_code);
  io("HighWatermark", m.high_watermark);
  io("LastStableOffset", m.last_stable_offset, since(4));
  io("LogStartOffset", m.log_start_offset, since(5));
  io("AbortedTransactions", m.aborted_transactions, since(4));
  io("PreferredReadReplica", m.preferred_read_replica, since(11));
  io("Records", m.records);
  io.tagged(0, "DivergingEpoch", m.diverging_epoch, since(12));
  io.tagged(1, "CurrentLeader", m.current_leader, since(12));
  io.tagged(2, "SnapshotId", m.snapshot_id, since(12));
}

template <typename Io>
void describe(Io& io, FetchResponse::Topic& m) {
  io("Topic", m.topic, until(12));
  io("TopicId", m.topic_id, since(13));
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, FetchResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms, since(1));
  io("ErrorCode", m.error_code, since(7));
  io("SessionId", m.session_id, since(7));
  io("Responses", m.responses);
  io.tagged(0, "NodeEndpoints", m.node_endpoints, since(16));
}

template struct MessageCodec<FetchRequest>;
template struct MessageCodec<FetchResponse>;

}  // namespace millrace::inline v0::protocol
