#include <array>
#include <atomic>
#include <millrace/core/crc32c.hpp>

#include "core/crc32c_kernels.hpp"
#include "core/crc32c_math.hpp"

namespace millrace::inline v0 {
namespace detail {
namespace {

using SliceTables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr SliceTables make_tables() noexcept {
  SliceTables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = times_x(value);
    tables[0][byte] = value;
  }
  for (std::size_t slice = 1; slice < 8; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr SliceTables tables = make_tables();

std::uint32_t load_little(const std::byte* from) noexcept {
  std::uint32_t value;
  std::memcpy(&value, from, sizeof value);
  return boost::endian::little_to_native(value);
}

const std::array<Crc32cVariant, 6>& variants() noexcept {
#if defined(MILLRACE_CRC32C_X86)
  static const std::array<Crc32cVariant, 6> all = [] {
    __builtin_cpu_init();
    const bool sse42 = __builtin_cpu_supports("sse4.2") != 0;
    const bool carry_less = sse42 && __builtin_cpu_supports("pclmul") != 0;
    const bool wide = carry_less && __builtin_cpu_supports("vpclmulqdq") != 0;
    const bool avx512 =
        wide && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0;
    return std::array<Crc32cVariant, 6>{
        {{"portable", crc32c_portable, true},
         {"sse4.2", crc32c_sse42, sse42},
         {"sse4.2 3-way", crc32c_sse42_3way, carry_less},
         {"avx2 vpclmulqdq", crc32c_avx2, wide && __builtin_cpu_supports("avx2") != 0},
         {"avx512 vpclmulqdq", crc32c_avx512, avx512},
         {}}};
  }();
#elif defined(MILLRACE_CRC32C_ARM)
  static const std::array<Crc32cVariant, 6> all{
      {{"portable", crc32c_portable, true}, {"armv8", crc32c_armv8, crc32c_armv8_usable()}}};
#else
  static const std::array<Crc32cVariant, 6> all{{{"portable", crc32c_portable, true}}};
#endif
  return all;
}

std::uint32_t choose_and_run(const std::byte* at, std::size_t size, std::uint32_t seed) noexcept;

/// Constant-initialized, so that a CRC taken before main() finds it; every thread that still sees
/// the first value stores the same second one.
constinit std::atomic<Crc32cKernel> chosen{choose_and_run};

std::uint32_t choose_and_run(const std::byte* at, std::size_t size, std::uint32_t seed) noexcept {
  Crc32cKernel widest = crc32c_portable;
  for (const Crc32cVariant& variant : variants())
    if (variant.usable) widest = variant.run;
  chosen.store(widest, std::memory_order_relaxed);
  return widest(at, size, seed);
}

}  // namespace

std::uint32_t crc32c_portable(const std::byte* at, std::size_t size, std::uint32_t seed) noexcept {
  std::uint32_t crc = ~seed;
  for (; size >= 8; at += 8, size -= 8) {
    const std::uint32_t low = load_little(at) ^ crc;
    const std::uint32_t high = load_little(at + 4);
    crc = tables[7][low & 0xff] ^ tables[6][(low >> 8) & 0xff] ^ tables[5][(low >> 16) & 0xff] ^
          tables[4][low >> 24] ^ tables[3][high & 0xff] ^ tables[2][(high >> 8) & 0xff] ^
          tables[1][(high >> 16) & 0xff] ^ tables[0][high >> 24];
  }
  for (; size != 0; ++at, --size)
    crc = (crc >> 8) ^ tables[0][(crc ^ std::to_integer<std::uint32_t>(*at)) & 0xff];
  return ~crc;
}

const Crc32cVariant* crc32c_variants() noexcept {
  return variants().data();
}

}  // namespace detail

std::uint32_t crc32c(Bytes data, std::uint32_t seed) noexcept {
  return detail::chosen.load(std::memory_order_relaxed)(data.data(), data.size(), seed);
}

}  // namespace millrace::inline v0
