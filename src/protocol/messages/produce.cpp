#include <millrace/protocol/messages/produce.hpp>

#include "protocol/message_io.hpp"
#include "protocol/messages/current_leader.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, ProduceRequest::Partition& m) {
  io("Index", m.index);
  io("Records", m.records);
}

template <typename Io>
void describe(Io& io, ProduceRequest::Topic& m) {
  io("Name", m.name);
  io("PartitionData", m.partition_data);
}

template <typename Io>
void describe(Io& io, ProduceRequest& m) {
  io("TransactionalId", m.transactional_id, since(3));
  io("Acks", m.acks);
  io("TimeoutMs", m.timeout_ms);
  io("TopicData", m.topic_data);
}

template <typename Io>
void describe(Io& io, ProduceResponse::RecordError& m) {
  io("BatchIndex", m.batch_index);
  io("BatchIndexErrorMessage", m.batch_index_error_message);
}

template <typename Io>
void describe(Io& io, ProduceResponse::Partition& m) {
  io("Index", m.index);
  io("ErrorCode", m.error_code);
  io("BaseOffset", m.base_offset);
  io("LogAppendTimeMs", m.log_append_time_ms, since(2));
  io("LogStartOffset", m.log_start_offset, since(5));
  io("RecordErrors", m.record_errors, since(8));
  io("ErrorMessage", m.error_message, since(8));
  io.tagged(0, "CurrentLeader", m.current_leader, since(10));
}

template <typename Io>
void describe(Io& io, ProduceResponse::Topic& m) {
  io("Name", m.name);
  io("PartitionResponses", m.partition_responses);
}

template <typename Io>
void describe(Io& io, ProduceResponse& m) {
  io("Responses", m.responses);
  io("ThrottleTimeMs", m.throttle_time_ms, since(1));
  io.tagged(0, "NodeEndpoints", m.node_endpoints, since(10));
}

template struct MessageCodec<ProduceRequest>;
template struct MessageCodec<ProduceResponse>;

}  // namespace millrace::inline v0::protocol
