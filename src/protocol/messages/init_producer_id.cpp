#include <millrace/protocol/messages/init_producer_id.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, InitProducerIdRequest& m) {
  io("TransactionalId", m.transactional_id);
  io("TransactionTimeoutMs", m.transaction_timeout_ms);
  io("ProducerId", m.producer_id, since(3));
  io("ProducerEpoch", m.producer_epoch, since(3));
}

template <typename Io>
void describe(Io& io, InitProducerIdResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("ErrorCode", m.error_code);
  io("ProducerId", m.producer_id);
  io("ProducerEpoch", m.producer_epoch);
}

template struct MessageCodec<InitProducerIdRequest>;
template struct MessageCodec<InitProducerIdResponse>;

}  // namespace millrace::inline v0::protocol
