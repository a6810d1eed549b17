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

/// x^exponent mod P.
consteval std::uint32_t power_of_x(std::size_t exponent) noexcept {
  std::uint32_t value = 0x80000000u;
  for (; exponent != 0; --exponent) value = times_x(value);
  return value;
}

/// The factor that carries a 64-bit word over `bits` of later data in a carry-less multiplication.
/// The product of two reflected numbers comes out one place too low, hence the missing x.
consteval std::uint64_t carry_factor(std::size_t bits) noexcept {
  return static_cast<std::uint64_t>(power_of_x(bits - 1)) << 32;
}

}  // namespace millrace::inline v0::detail
