#include <millrace/protocol/messages/write_txn_markers.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, WriteTxnMarkersRequest::Topic& m) {
  io("Name", m.name);
  io("PartitionIndexes", m.partition_indexes);
}

template <typename Io>
void describe(Io& io, WriteTxnMarkersRequest::Marker& m) {
  io("ProducerId", m.producer_id);
  io("ProducerEpoch", m.producer_epoch);
  io("TransactionResult", m.transaction_result);
  io("Topics", m.topics);
  io("CoordinatorEpoch", m.coordinator_epoch);
}

template <typename Io>
void describe(Io& io, WriteTxnMarkersRequest& m) {
  io("Markers", m.markers);
}

template <typename Io>
void describe(Io& io, WriteTxnMarkersResponse::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("ErrorCode", m.error_code);
}

template <typename Io>
void describe(Io& io, WriteTxnMarkersResponse::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, WriteTxnMarkersResponse::Marker& m) {
  io("ProducerId", m.producer_id);
  io("Topics", m.topics);
}

template <typename Io>
void describe(Io& io, WriteTxnMarkersResponse& m) {
  io("Markers", m.markers);
}

template struct MessageCodec<WriteTxnMarkersRequest>;
template struct MessageCodec<WriteTxnMarkersResponse>;

}  // namespace millrace::inline v0::protocol
