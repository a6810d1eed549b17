#include <millrace/protocol/messages/alter_user_scram_credentials.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, AlterUserScramCredentialsRequest::Deletion& m) {
  io("Name", m.name);
  io("Mechanism", m.mechanism);
}

template <typename Io>
void describe(Io& io, AlterUserScramCredentialsRequest::Upsertion& m) {
  io("Name", m.name);
  io("Mechanism", m.mechanism);
  io("Iterations", m.iterations);
  io("Salt", m.salt);
  io("SaltedPassword", m.salted_password);
}

template <typename Io>
void describe(Io& io, AlterUserScramCredentialsRequest& m) {
  io("Deletions", m.deletions);
  io("Upsertions", m.upsertions);
}

template <typename Io>
void describe(Io& io, AlterUserScramCredentialsResponse::User& m) {
  io("User", m.user);
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
}

template <typename Io>
void describe(Io& io, AlterUserScramCredentialsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("Results", m.results);
}

template struct MessageCodec<AlterUserScramCredentialsRequest>;
template struct MessageCodec<AlterUserScramCredentialsResponse>;

}  // namespace millrace::inline v0::protocol
