#pragma once
#include <boost/endian/conversion.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace millrace::inline v0 {

/// A view of bytes somebody else owns.
using Bytes = std::span<const std::byte>;
/// The same, writable.
using MutableBytes = std::span<std::byte>;

/// The bytes of a text, and back; the views are valid as long as what they were made from.
inline Bytes as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Reads a big-endian integer at `from`, which needs no alignment.
template <typename T>
T load_big(const std::byte* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return boost::endian::big_to_native(value);
}

/// Writes `value` big-endian at `to`, which needs no alignment.
template <typename T>
void store_big(std::byte* to, T value) noexcept {
  value = boost::endian::native_to_big(value);
  std::memcpy(to, &value, sizeof value);
}

}  // namespace millrace::inline v0
