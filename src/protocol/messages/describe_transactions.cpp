#include <millrace/protocol/messages/describe_transactions.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, DescribeTransactionsRequest& m) {
  io("TransactionalIds", m.transactional_ids);
}

template <typename Io>
void describe(Io& io, DescribeTransactionsResponse::Topic& m) {
  io("Topic", m.topic);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, DescribeTransactionsResponse::Transaction& m) {
  io("ErrorCode", m.error_code);
  io("TransactionalId", m.transactional_id);
  io("TransactionState", m.transaction_state);
  io("TransactionTimeoutMs", m.transaction_timeout_ms);
  io("TransactionStartTimeMs", m.transaction_start_time_ms);
  io("ProducerId", m.producer_id);
  io("ProducerEpoch", m.producer_epoch);
  io("Topics", m.topics);
}

template <typename Io>
void describe(Io& io, DescribeTransactionsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("TransactionStates", m.transaction_states);
}

template struct MessageCodec<DescribeTransactionsRequest>;
template struct MessageCodec<DescribeTransactionsResponse>;

}  // namespace millrace::inline v0::protocol
