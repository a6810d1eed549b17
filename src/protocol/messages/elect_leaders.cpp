#include <millrace/protocol/messages/elect_leaders.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, ElectLeadersRequest::Topic& m) {
  io("Topic", m.topic);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, ElectLeadersRequest& m) {
  io("ElectionType", m.election_type, since(1));
  io("TopicPartitions", m.topic_partitions);
  io("TimeoutMs", m.timeout_ms);
}

template <typename Io>
void describe(Io& io, ElectLeadersResponse::Partition& m) {
  io("PartitionId", m.partition_id);
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
}

template <typename Io>
void describe(Io& io, ElectLeadersResponse::Topic& m) {
  io("Topic", m.topic);
  io("PartitionResult", m.partition_result);
}

template <typename Io>
void describe(Io& io, ElectLeadersResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("ErrorCode", m.error_code, since(1));
  io("ReplicaElectionResults", m.replica_election_results);
}

template struct MessageCodec<ElectLeadersRequest>;
template struct MessageCodec<ElectLeadersResponse>;

}  // namespace millrace::inline v0::protocol
