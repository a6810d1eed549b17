#include <millrace/protocol/messages/sasl_authenticate.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, SaslAuthenticateRequest& m) {
  io("AuthBytes", m.auth_bytes);
}

template <typename Io>
void describe(Io& io, SaslAuthenticateResponse& m) {
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
  io("AuthBytes", m.auth_bytes);
  io("SessionLifetimeMs", m.session_lifetime_ms, since(1));
}

template struct MessageCodec<SaslAuthenticateRequest>;
template struct MessageCodec<SaslAuthenticateResponse>;

}  // namespace millrace::inline v0::protocol
