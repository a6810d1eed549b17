#pragma once
#include <cstddef>
#include <cstdint>

/// Arithmetic modulo the Castagnoli polynomial P, reflected: bit 31 of a word is x^0.
namespace millrace::inline v0::detail {

inline constexpr std::uint32_t crc32c_polynomial = 0x82f63b78u;

/// value * x mod P.
constexpr std::uint32_t times_x(std::uint32_t value) noexcept {
  return (value & 1) != 0 ? (value >> 1) ^ crc32c_polynomial : value >> 1;
}

/// x^Exponent mod P. A variable, not a function: it is worked out when the code is compiled.
template <std::size_t Exponent>
inline constexpr std::uint32_t power_of_x = [] {
  std::uint32_t value = 0x80000000u;
  for (std::size_t left = Exponent; left != 0; --left) value = times_x(value);
  return value;
}();

/// The factor that carries a 64-bit word over `Bits` of later data in a carry-less multiplication.
/// The product of two reflected numbers comes out one place too low, hence the missing x.
template <std::size_t Bits>
inline constexpr auto carry_factor = static_cast<long long>(power_of_x<Bits - 1>) << 32;

}  // namespace millrace::inline v0::detail
