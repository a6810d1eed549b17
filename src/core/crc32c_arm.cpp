#include "core/crc32c_kernels.hpp"

#if defined(MILLRACE_CRC32C_ARM)
#include <arm_acle.h>

#include <cstring>
#if defined(__linux__)
#include <sys/auxv.h>
#endif

namespace millrace::inline v0::detail {

bool crc32c_armv8_usable() noexcept {
#if defined(__linux__)
  constexpr unsigned long has_crc32 = 1ul << 7;
  return (getauxval(AT_HWCAP) & has_crc32) != 0;
#else
  return true;
#endif
}

std::uint32_t crc32c_armv8(const std::byte* at, std::size_t size, std::uint32_t seed) noexcept {
  std::uint32_t state = ~seed;
  for (; size >= 8; at += 8, size -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    state = __crc32cd(state, word);
  }
  for (; size != 0; ++at, --size) state = __crc32cb(state, std::to_integer<std::uint8_t>(*at));
  return ~state;
}

}  // namespace millrace::inline v0::detail
#endif
