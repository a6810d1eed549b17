#pragma once
#include <cstdint>
#include <millrace/core/result.hpp>
#include <optional>
#include <string>
#include <string_view>

/// What of cryptography SCRAM needs. Bytes are strings here: they are cut out of texts and put into
/// them.
namespace millrace::inline v0::server {

enum class Digest : std::uint8_t { sha_256, sha_512 };

// Empty if the library of algorithms has no memory left.
std::string hash(Digest digest, std::string_view data);
std::string hmac(Digest digest, std::string_view key, std::string_view data);
/// PBKDF2 with the HMAC of that digest, as long as its hash.
std::string stretch(Digest digest, std::string_view password, std::string_view salt,
                    int iterations);
Result<std::string> random_bytes(std::size_t count);
/// In a time that depends on the lengths only. Nothing is equal to an empty one.
bool is_equal(std::string_view left, std::string_view right) noexcept;

std::string to_base64(std::string_view bytes);
/// Nothing if it is no base64, or not as short as it can be.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace millrace::inline v0::server
