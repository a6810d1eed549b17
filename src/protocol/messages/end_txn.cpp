#include <millrace/protocol/messages/end_txn.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, EndTxnRequest& m) {
  io("TransactionalId", m.transactional_id);
  io("ProducerId", m.producer_id);
  io("ProducerEpoch", m.producer_epoch);
  io("Committed", m.committed);
}

template <typename Io>
void describe(Io& io, EndTxnResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("ErrorCode", m.error_code);
}

template struct MessageCodec<EndTxnRequest>;
template struct MessageCodec<EndTxnResponse>;

}  // namespace millrace::inline v0::protocol
