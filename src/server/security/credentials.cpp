#include "server/security/credentials.hpp"

#include <algorithm>
#include <array>

namespace millrace::inline v0::server {
namespace {

constexpr int iterations = 4096;
constexpr std::size_t secret_bytes = 32;
constexpr std::size_t nonce_bytes = 18;

struct NamedMechanism {
  SaslMechanism mechanism;
  std::string_view name;
};
constexpr std::array names = {NamedMechanism{SaslMechanism::plain, "PLAIN"},
                              NamedMechanism{SaslMechanism::scram_sha_256, "SCRAM-SHA-256"},
                              NamedMechanism{SaslMechanism::scram_sha_512, "SCRAM-SHA-512"}};

Digest digest_of(SaslMechanism mechanism) noexcept {
  return mechanism == SaslMechanism::scram_sha_512 ? Digest::sha_512 : Digest::sha_256;
}

}  // namespace

std::string_view mechanism_name(SaslMechanism mechanism) noexcept {
  return std::ranges::find(names, mechanism, &NamedMechanism::mechanism)->name;
}

std::optional<SaslMechanism> parse_mechanism(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(names, name, &NamedMechanism::name);
  if (found == names.end()) return std::nullopt;
  return found->mechanism;
}

Result<std::shared_ptr<Credentials>> Credentials::make(const SaslOptions& options) {
  if (options.mechanisms.empty()) {
    return Error(Errc::invalid_argument,
                 "cannot listen with SASL: no mechanism is given by which clients say who they "
                 "are; SCRAM-SHA-256 is understood by most");
  }
  if (options.users.empty() == (options.password_of == nullptr)) {
    return Error(Errc::invalid_argument,
                 "cannot listen with SASL: give users with their passwords, or a function that "
                 "knows the passwords, and not both");
  }
  for (const auto& [name, password] : options.users) {
    if (!name.empty() && !password.empty()) continue;
    return Error(Errc::invalid_argument, "cannot listen with SASL: the user '" + name +
                                             "' has no " + (name.empty() ? "name" : "password") +
                                             "; nobody could come in as that");
  }
  auto secret = random_bytes(secret_bytes);
  if (!secret) return secret.error();
  return std::shared_ptr<Credentials>(new Credentials(options, *std::move(secret)));
}

std::unique_ptr<SaslExchange> Credentials::begin(SaslMechanism mechanism) {
  if (std::ranges::find(options_.mechanisms, mechanism) == options_.mechanisms.end())
    return nullptr;
  if (mechanism != SaslMechanism::plain) return begin_scram(digest_of(mechanism));
  return plain_exchange([this](const std::string& user, std::string_view password) {
    return is_password(user, password);
  });
}

std::unique_ptr<SaslExchange> Credentials::begin_scram(Digest digest) {
  const auto nonce = random_bytes(nonce_bytes);
  if (!nonce) return nullptr;
  return scram_exchange(
      {.digest = digest,
       .iterations = iterations,
       .nonce = to_base64(*nonce),
       .salt_of = [this, digest](const std::string& user) { return salt_of(digest, user); },
       .keys_of = [this, digest](const std::string& user) { return keys_of(digest, user); }});
}

std::optional<std::string> Credentials::password_of(const std::string& user) const {
  if (options_.password_of != nullptr) return options_.password_of(user);
  const auto found = options_.users.find(user);
  if (found == options_.users.end()) return std::nullopt;
  return found->second;
}

bool Credentials::is_password(const std::string& user, std::string_view password) const {
  const auto known = password_of(user);
  // Hashes, for the time that it takes to compare is to say nothing of the length either.
  const std::string wanted = hmac(Digest::sha_256, secret_, known.value_or(std::string()));
  const bool is_same = is_equal(wanted, hmac(Digest::sha_256, secret_, password));
  return is_same && known && !known->empty();
}

std::string Credentials::salt_of(Digest digest, const std::string& user) const {
  return hmac(digest, secret_, user);
}

ScramKeys Credentials::keys_of(Digest digest, const std::string& user) {
  const auto password = password_of(user);
  const std::string salt = salt_of(digest, user);
  if (!password || password->empty()) {
    // The digest of nothing that anybody knows.
    return {.stored_key = hmac(digest, secret_, salt), .server_key = salt};
  }
  {
    const std::lock_guard lock(mutex_);
    const auto known = derived_.find({digest, user});
    if (known != derived_.end() && known->second.password == *password) return known->second.keys;
  }
  const ScramKeys keys = scram_keys(digest, *password, salt, iterations);
  const std::lock_guard lock(mutex_);
  derived_.insert_or_assign({digest, user}, Derived{*password, keys});
  return keys;
}

}  // namespace millrace::inline v0::server
