#pragma once
#include <millrace/core/crc32c.hpp>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define MILLRACE_CRC32C_X86 1
#elif defined(__aarch64__)
#define MILLRACE_CRC32C_ARM 1
#endif

namespace millrace::inline v0::detail {

std::uint32_t crc32c_portable(const std::byte* at, std::size_t size, std::uint32_t seed) noexcept;

#if defined(MILLRACE_CRC32C_X86)
std::uint32_t crc32c_sse42(const std::byte* at, std::size_t size, std::uint32_t seed) noexcept;
std::uint32_t crc32c_sse42_3way(const std::byte* at, std::size_t size, std::uint32_t seed) noexcept;
std::uint32_t crc32c_avx2(const std::byte* at, std::size_t size, std::uint32_t seed) noexcept;
std::uint32_t crc32c_avx512(const std::byte* at, std::size_t size, std::uint32_t seed) noexcept;
#elif defined(MILLRACE_CRC32C_ARM)
std::uint32_t crc32c_armv8(const std::byte* at, std::size_t size, std::uint32_t seed) noexcept;
bool crc32c_armv8_usable() noexcept;
#endif

}  // namespace millrace::inline v0::detail
