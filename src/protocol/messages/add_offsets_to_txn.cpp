#include <millrace/protocol/messages/add_offsets_to_txn.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, AddOffsetsToTxnRequest& m) {
  io("TransactionalId", m.transactional_id);
  io("ProducerId", m.producer_id);
  io("ProducerEpoch", m.producer_epoch);
  io("GroupId", m.group_id);
}

template <typename Io>
void describe(Io& io, AddOffsetsToTxnResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("ErrorCode", m.error_code);
}

template struct MessageCodec<AddOffsetsToTxnRequest>;
template struct MessageCodec<AddOffsetsToTxnResponse>;

}  // namespace millrace::inline v0::protocol
