#include <millrace/protocol/messages/add_partitions_to_txn.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, AddPartitionsToTxnRequest::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, AddPartitionsToTxnRequest& m) {
  io("V3AndBelowTransactionalId", m.transactional_id);
  io("V3AndBelowProducerId", m.producer_id);
  io("V3AndBelowProducerEpoch", m.producer_epoch);
  io("V3AndBelowTopics", m.topics);
}

template <typename Io>
void describe(Io& io, AddPartitionsToTxnResponse::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("PartitionErrorCode", m.partition_error_code);
}

template <typename Io>
void describe(Io& io, AddPartitionsToTxnResponse::Topic& m) {
  io("Name", m.name);
  io("ResultsByPartition", m.results_by_partition);
}

template <typename Io>
void describe(Io& io, AddPartitionsToTxnResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("ResultsByTopicV3AndBelow", m.results);
}

template struct MessageCodec<AddPartitionsToTxnRequest>;
template struct MessageCodec<AddPartitionsToTxnResponse>;

}  // namespace millrace::inline v0::protocol
