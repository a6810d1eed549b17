#pragma once
#include <condition_variable>
#include <mutex>

#include "../kafka/wire_client.hpp"
#include "server/security/sasl_exchange.hpp"

namespace millrace_test {

/// A broker that listens with some options; keeps what it complains of.
class Secured {
 public:
  explicit Secured(millrace::ListenOptions options)
      : listener(broker.listen(with_problems(std::move(options))).value()) {}

  /// The first, once there is one.
  std::string problem() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !problems_.empty(); });
    return problems_.front();
  }

  millrace::Broker broker = millrace::Broker::open(":memory:").value();

 private:
  millrace::ListenOptions with_problems(millrace::ListenOptions options) {
    options.port = 0;
    options.on_problem = [this](const millrace::Error& error) {
      const std::lock_guard lock(mutex_);
      problems_.push_back(error.message());
      changed_.notify_all();
    };
    return options;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> problems_;

 public:
  millrace::Listener listener;
};

inline std::string plain_token(const std::string& user, const std::string& password) {
  return '\0' + user + '\0' + password;
}

/// The client's side of SCRAM, by its own reading of RFC 5802.
class ScramClient {
 public:
  ScramClient(millrace::server::Digest digest, std::string user, std::string password)
      : digest_(digest),
        password_(std::move(password)),
        first_bare_("n=" + user + ",r=fyko+d2lbbFgONRv9qkxdawL") {}

  std::string first() const { return "n,," + first_bare_; }
  std::string last(const std::string& server_first) {
    using namespace millrace::server;
    const auto nonce = server_first.substr(0, server_first.find(','));
    const std::size_t salt_at = server_first.find(",s=") + 3;
    const std::size_t count_at = server_first.find(",i=");
    const auto salt = from_base64(server_first.substr(salt_at, count_at - salt_at)).value();
    const int iterations = std::stoi(server_first.substr(count_at + 3));
    const std::string salted = stretch(digest_, password_, salt, iterations);
    std::string proof = hmac(digest_, salted, "Client Key");
    const std::string without_proof = "c=biws," + nonce;
    const std::string all = first_bare_ + "," + server_first + "," + without_proof;
    const std::string signature = hmac(digest_, hash(digest_, proof), all);
    for (std::size_t i = 0; i < proof.size(); ++i) {
      proof[i] = static_cast<char>(proof[i] ^ signature[i]);
    }
    verifier_ = "v=" + to_base64(hmac(digest_, hmac(digest_, salted, "Server Key"), all));
    return without_proof + ",p=" + to_base64(proof);
  }
  /// What the server has to say in the end.
  const std::string& verifier() const noexcept { return verifier_; }

 private:
  const millrace::server::Digest digest_;
  const std::string password_;
  const std::string first_bare_;
  std::string verifier_;
};

}  // namespace millrace_test
