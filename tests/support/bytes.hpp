#pragma once
#include <millrace/core/bytes.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::test {

/// The bytes of a lower-case hex text.
inline std::vector<std::byte> from_hex(std::string_view hex) {
  std::vector<std::byte> bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

inline std::string to_hex(Bytes bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (std::byte b : bytes) {
    hex += digits[std::to_integer<std::size_t>(b) >> 4];
    hex += digits[std::to_integer<std::size_t>(b) & 15];
  }
  return hex;
}

}  // namespace millrace::test
