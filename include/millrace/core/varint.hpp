#pragma once
#include <cstddef>
#include <cstdint>

namespace millrace::inline v0 {

/// Zigzag: small magnitudes of either sign become small unsigned numbers.
constexpr std::uint64_t zigzag(std::int64_t v) noexcept {
  return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t v) noexcept {
  return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
}

/// Bytes that `encode_varint(value)` writes, 1 to 10.
constexpr std::size_t varint_size(std::uint64_t value) noexcept {
  std::size_t n = 1;
  for (; value >= 0x80; value >>= 7) ++n;
  return n;
}

/// Writes an unsigned LEB128 at `to` (room for 10 bytes) and returns one past the last byte.
inline std::byte* encode_varint(std::byte* to, std::uint64_t value) noexcept {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<std::byte>(value | 0x80);
  *to++ = static_cast<std::byte>(value);
  return to;
}
/// The same for a signed number, zigzag first (Kafka's varint and varlong).
inline std::byte* encode_zigzag(std::byte* to, std::int64_t value) noexcept {
  return encode_varint(to, zigzag(value));
}

/// Reads an unsigned LEB128 of at most `MaxBytes` from [at, end) into `value`. Returns one past the
/// last byte read, or nullptr if it is cut short or longer than MaxBytes. MaxBytes is 5 for 32-bit
/// numbers and 10 for 64-bit ones.
template <std::size_t MaxBytes>
inline const std::byte* decode_varint(const std::byte* at, const std::byte* end,
                                      std::uint64_t& value) noexcept {
  if (at < end && static_cast<std::uint8_t>(*at) < 0x80) [[likely]] {
    value = static_cast<std::uint8_t>(*at);
    return at + 1;
  }
  std::uint64_t result = 0;
  for (std::size_t i = 0; i < MaxBytes && at < end; ++i) {
    const auto byte = static_cast<std::uint8_t>(*at++);
    result |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      value = result;
      return at;
    }
  }
  return nullptr;
}

}  // namespace millrace::inline v0
