#pragma once
#include <bit>
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
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return (static_cast<std::size_t>(std::bit_width(value)) + 6) / 7;
}

/// Writes an unsigned LEB128 at `to` (room for 10 bytes) and returns one past the last byte.
inline std::byte* encode_varint(std::byte* to, std::uint64_t value) noexcept {
  if (value < 0x80) [[likely]] {
    *to = static_cast<std::byte>(value);
    return to + 1;
  }
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<std::byte>(value | 0x80);
  *to++ = static_cast<std::byte>(value);
  return to;
}
/// The same for a signed number, zigzag first (Kafka's varint and varlong).
inline std::byte* encode_zigzag(std::byte* to, std::int64_t value) noexcept {
  return encode_varint(to, zigzag(value));
}

namespace detail {
/// The general path of decode_varint; Bits is the width of the number.
template <std::size_t MaxBytes, unsigned Bits>
inline const std::byte* decode_long_varint(const std::byte* at, const std::byte* end,
                                           std::uint64_t& value) noexcept {
  std::uint64_t result = 0;
  for (std::size_t i = 0; i < MaxBytes && at < end; ++i) {
    const auto byte = static_cast<std::uint8_t>(*at++);
    result |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      constexpr unsigned last_bits = Bits - 7 * (MaxBytes - 1);
      if (i == MaxBytes - 1 && (byte >> last_bits) != 0) return nullptr;
      value = result;
      return at;
    }
  }
  return nullptr;
}
}  // namespace detail

/// Reads an unsigned LEB128 of at most `MaxBytes` from [at, end) into `value`. Returns one past the
/// last byte read, or nullptr if it is cut short, longer than MaxBytes, or too large for its width.
/// MaxBytes is 5 for 32-bit numbers and 10 for 64-bit ones.
template <std::size_t MaxBytes>
inline const std::byte* decode_varint(const std::byte* at, const std::byte* end,
                                      std::uint64_t& value) noexcept {
  static_assert(MaxBytes == 5 || MaxBytes == 10);
  if (end - at >= 2) [[likely]] {
    const auto low = static_cast<std::uint8_t>(at[0]);
    if (low < 0x80) {
      value = low;
      return at + 1;
    }
    const auto high = static_cast<std::uint8_t>(at[1]);
    if (high < 0x80) [[likely]] {
      value = (low & 0x7fu) | static_cast<std::uint64_t>(high) << 7;
      return at + 2;
    }
  }
  return detail::decode_long_varint < MaxBytes, MaxBytes == 5 ? 32 : 64 > (at, end, value);
}

/// The same for a signed number, zigzag (Kafka's varint with MaxBytes 5, varlong with 10).
template <std::size_t MaxBytes>
inline const std::byte* decode_zigzag(const std::byte* at, const std::byte* end,
                                      std::int64_t& value) noexcept {
  std::uint64_t raw = 0;
  at = decode_varint<MaxBytes>(at, end, raw);
  value = unzigzag(raw);
  return at;
}

}  // namespace millrace::inline v0
