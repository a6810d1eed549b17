#pragma once
#include <cstddef>
#include <cstdint>
#include <millrace/core/bytes.hpp>

namespace millrace::inline v0 {

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78, RFC 3720 appendix B.4) of `data`.
/// `crc32c(b, crc32c(a))` is the CRC of a followed by b. Picks the widest kernel the processor has
/// at the first call; every kernel gives the same value. Thread-safe.
std::uint32_t crc32c(Bytes data, std::uint32_t seed = 0) noexcept;

namespace detail {
using Crc32cKernel = std::uint32_t (*)(const std::byte*, std::size_t, std::uint32_t) noexcept;
/// One named kernel; `usable` says whether this processor can run it.
struct Crc32cVariant {
  const char* name;
  Crc32cKernel run;
  bool usable;
};
/// All kernels of this build, portable first, widest last; ended by an entry with a null name.
const Crc32cVariant* crc32c_variants() noexcept;
}  // namespace detail

}  // namespace millrace::inline v0
