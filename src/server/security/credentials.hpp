#pragma once
#include <map>
#include <memory>
#include <millrace/core/result.hpp>
#include <millrace/server/sasl.hpp>
#include <mutex>

#include "server/security/sasl_exchange.hpp"

namespace millrace::inline v0::server {

/// Who may come in, and how. Thread-safe.
class Credentials {
 public:
  /// Nothing is checked in `options` but that there are users and mechanisms: invalid_argument.
  static Result<std::shared_ptr<Credentials>> make(const SaslOptions& options);

  const std::vector<SaslMechanism>& mechanisms() const noexcept { return options_.mechanisms; }
  /// Nothing if that mechanism is not served.
  std::unique_ptr<SaslExchange> begin(SaslMechanism mechanism);

 private:
  struct Derived {
    std::string password;
    ScramKeys keys;
  };

  Credentials(const SaslOptions& options, std::string secret)
      : options_(options), secret_(std::move(secret)) {}
  std::optional<std::string> password_of(const std::string& user) const;
  bool is_password(const std::string& user, std::string_view password) const;
  std::unique_ptr<SaslExchange> begin_scram(Digest digest);
  std::string salt_of(Digest digest, const std::string& user) const;
  ScramKeys keys_of(Digest digest, const std::string& user);

  const SaslOptions options_;
  const std::string secret_;  // of which salts are made, and the keys of nobody
  std::mutex mutex_;
  std::map<std::pair<Digest, std::string>, Derived> derived_;  // of those who have come before
};

}  // namespace millrace::inline v0::server
