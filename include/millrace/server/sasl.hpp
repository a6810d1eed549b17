#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::inline v0::server {

/// How a client proves who it is: RFC 4616, 5802 and 7677.
enum class SaslMechanism : std::uint8_t { plain, scram_sha_256, scram_sha_512 };

/// Kafka's name, e.g. "SCRAM-SHA-256". Valid for ever.
std::string_view mechanism_name(SaslMechanism mechanism) noexcept;
std::optional<SaslMechanism> parse_mechanism(std::string_view name) noexcept;

/// Clients have to say who they are before anything else is served. The principal of one that has
/// is "User:" and its name, of a client of a listener without this "User:ANONYMOUS".
struct SaslOptions {
  /// With SCRAM the password itself never travels; with PLAIN it does, as it is.
  std::vector<SaslMechanism> mechanisms = {SaslMechanism::scram_sha_256,
                                           SaslMechanism::scram_sha_512};
  /// Names and passwords.
  std::map<std::string, std::string, std::less<>> users = {};
  /// Instead of `users`: the password of a user, nothing if there is none of that name. Called on
  /// any of the listener's worker threads, several at once.
  std::function<std::optional<std::string>(const std::string& user)> password_of = {};
  /// PLAIN without TLS is refused but for addresses of this host alone: whoever sees the packets
  /// would have the passwords.
  bool allow_plain_unencrypted = false;
};

}  // namespace millrace::inline v0::server
