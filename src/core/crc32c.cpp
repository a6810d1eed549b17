#include <millrace/core/crc32c.hpp>

namespace millrace::inline v0 {
std::uint32_t crc32c(Bytes data, std::uint32_t seed) noexcept {
  std::uint32_t crc = ~seed;
  for (std::byte b : data) {
    crc ^= static_cast<std::uint8_t>(b);
    for (int k = 0; k < 8; ++k) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
  }
  return ~crc;
}
}  // namespace millrace::inline v0
