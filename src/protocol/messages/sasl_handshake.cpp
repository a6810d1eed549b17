#include <millrace/protocol/messages/sasl_handshake.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, SaslHandshakeRequest& m) {
  io("Mechanism", m.mechanism);
}

template <typename Io>
void describe(Io& io, SaslHandshakeResponse& m) {
  io("ErrorCode", m.error_code);
  io("Mechanisms", m.mechanisms);
}

template struct MessageCodec<SaslHandshakeRequest>;
template struct MessageCodec<SaslHandshakeResponse>;

}  // namespace millrace::inline v0::protocol
