#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/security/digest.hpp"

/// The mechanisms, without sockets and frames.
namespace millrace::inline v0::server {

/// What is said between a client and us until we know who it is. For one thread.
class SaslExchange {
 public:
  enum class State : std::uint8_t { goes_on, done, failed };
  struct Step {
    State state = State::failed;
    std::string answer = {};  ///< to be sent unless it failed
  };

  virtual ~SaslExchange() = default;
  /// After it was done or failed it fails.
  virtual Step take(std::string_view token) = 0;
  /// Who the client says it is: true once it is done.
  const std::string& user() const noexcept { return user_; }

 protected:
  std::string user_;
};

/// PLAIN. `is_password` is to compare in constant time.
using IsPassword = std::function<bool(const std::string& user, std::string_view password)>;
std::unique_ptr<SaslExchange> plain_exchange(IsPassword is_password);

/// What the server keeps of a password.
struct ScramKeys {
  std::string stored_key;
  std::string server_key;
};
ScramKeys scram_keys(Digest digest, std::string_view password, std::string_view salt,
                     int iterations);

struct ScramSettings {
  Digest digest = Digest::sha_256;
  int iterations = 4096;
  std::string nonce;  ///< ours, of printable characters without a comma, never used before
  /// Both of any name, that nobody has too: who asks must not learn who there is.
  std::function<std::string(const std::string& user)> salt_of;
  std::function<ScramKeys(const std::string& user)> keys_of;
};
/// SCRAM without channel binding.
std::unique_ptr<SaslExchange> scram_exchange(ScramSettings settings);

}  // namespace millrace::inline v0::server
