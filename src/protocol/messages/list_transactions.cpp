#include <millrace/protocol/messages/list_transactions.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, ListTransactionsRequest& m) {
  io("StateFilters", m.state_filters);
  io("ProducerIdFilters", m.producer_id_filters);
  io("DurationFilter", m.duration_filter, since(1));
}

template <typename Io>
void describe(Io& io, ListTransactionsResponse::Transaction& m) {
  io("TransactionalId", m.transactional_id);
  io("ProducerId", m.producer_id);
  io("TransactionState", m.transaction_state);
}

template <typename Io>
void describe(Io& io, ListTransactionsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("ErrorCode", m.error_code);
  io("UnknownStateFilters", m.unknown_state_filters);
  io("TransactionStates", m.transaction_states);
}

template struct MessageCodec<ListTransactionsRequest>;
template struct MessageCodec<ListTransactionsResponse>;

}  // namespace millrace::inline v0::protocol
