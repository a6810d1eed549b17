#include <millrace/protocol/messages/describe_producers.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, DescribeProducersRequest::Topic& m) {
  io("Name", m.name);
  io("PartitionIndexes", m.partition_indexes);
}

template <typename Io>
void describe(Io& io, DescribeProducersRequest& m) {
  io("Topics", m.topics);
}

template <typename Io>
void describe(Io& io, DescribeProducersResponse::Producer& m) {
  io("ProducerId", m.producer_id);
  io("ProducerEpoch", m.producer_epoch);
  io("LastSequence", m.last_sequence);
  io("LastTimestamp", m.last_timestamp);
  io("CoordinatorEpoch", m.coordinator_epoch);
  io("CurrentTxnStartOffset", m.current_txn_start_offset);
}

template <typename Io>
void describe(Io& io, DescribeProducersResponse::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
  io("ActiveProducers", m.active_producers);
}

template <typename Io>
void describe(Io& io, DescribeProducersResponse::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, DescribeProducersResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("Topics", m.topics);
}

template struct MessageCodec<DescribeProducersRequest>;
template struct MessageCodec<DescribeProducersResponse>;

}  // namespace millrace::inline v0::protocol
