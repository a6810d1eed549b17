#include <millrace/protocol/messages/describe_user_scram_credentials.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, DescribeUserScramCredentialsRequest::User& m) {
  io("Name", m.name);
}

template <typename Io>
void describe(Io& io, DescribeUserScramCredentialsRequest& m) {
  io("Users", m.users);
}

template <typename Io>
void describe(Io& io, DescribeUserScramCredentialsResponse::Credential& m) {
  io("Mechanism", m.mechanism);
  io("Iterations", m.iterations);
}

template <typename Io>
void describe(Io& io, DescribeUserScramCredentialsResponse::User& m) {
  io("User", m.user);
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
  io("CredentialInfos", m.credential_infos);
}

template <typename Io>
void describe(Io& io, DescribeUserScramCredentialsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
  io("Results", m.results);
}

template struct MessageCodec<DescribeUserScramCredentialsRequest>;
template struct MessageCodec<DescribeUserScramCredentialsResponse>;

}  // namespace millrace::inline v0::protocol
