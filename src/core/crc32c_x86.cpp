#include "core/crc32c_kernels.hpp"

#if defined(MILLRACE_CRC32C_X86)
#if defined(__GNUC__) && !defined(__clang__)
// GCC warns about the deliberately undefined operands inside its own AVX-512 header.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include <cstring>

#include "core/crc32c_math.hpp"

#define MILLRACE_TARGET(features) __attribute__((target(features)))
#define MILLRACE_TARGET_INLINE(features) __attribute__((target(features), always_inline)) inline

namespace millrace::inline v0::detail {
namespace {

// Measured (benchmarks/crc32c_bench): shorter inputs are faster in the serial kernel.
constexpr std::size_t three_way_from_bytes = 192;
constexpr std::size_t avx2_from_bytes = 256;
constexpr std::size_t avx512_from_bytes = 128;

inline std::uint64_t load_word(const std::byte* from) noexcept {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// Runs the register over `size` bytes, eight at a time.
MILLRACE_TARGET_INLINE("sse4.2")
std::uint32_t run_serial(const std::byte* at, std::size_t size, std::uint32_t state) noexcept {
  std::uint64_t wide = state;
  for (; size >= 32; at += 32, size -= 32) {
    wide = _mm_crc32_u64(wide, load_word(at));
    wide = _mm_crc32_u64(wide, load_word(at + 8));
    wide = _mm_crc32_u64(wide, load_word(at + 16));
    wide = _mm_crc32_u64(wide, load_word(at + 24));
  }
  for (; size >= 8; at += 8, size -= 8) wide = _mm_crc32_u64(wide, load_word(at));
  state = static_cast<std::uint32_t>(wide);
  if ((size & 4) != 0) {
    std::uint32_t word;
    std::memcpy(&word, at, sizeof word);
    state = _mm_crc32_u32(state, word);
    at += 4;
  }
  if ((size & 2) != 0) {
    std::uint16_t half;
    std::memcpy(&half, at, sizeof half);
    state = _mm_crc32_u16(state, half);
    at += 2;
  }
  if ((size & 1) != 0) state = _mm_crc32_u8(state, std::to_integer<std::uint8_t>(*at));
  return state;
}

/// The register after the last 16 bytes that everything was folded into.
MILLRACE_TARGET_INLINE("sse4.2")
std::uint32_t reduce(__m128i last) noexcept {
  const auto low = static_cast<std::uint64_t>(_mm_cvtsi128_si64(last));
  const auto high = static_cast<std::uint64_t>(_mm_extract_epi64(last, 1));
  return static_cast<std::uint32_t>(_mm_crc32_u64(_mm_crc32_u64(0, low), high));
}

/// Runs three registers over three neighbouring blocks at once, as long as there are three, and
/// joins them: each earlier one is carried over the blocks that follow it.
template <std::size_t BlockBytes>
MILLRACE_TARGET_INLINE("sse4.2,pclmul")
std::uint64_t run_three(const std::byte*& at, std::size_t& size, std::uint64_t state) noexcept {
  // 33 bits less: the product lacks one x, and crc32_u64 multiplies by x^32.
  constexpr long long over_two = power_of_x<16 * BlockBytes - 33>;
  constexpr long long over_one = power_of_x<8 * BlockBytes - 33>;
  const __m128i factors = _mm_set_epi64x(over_one, over_two);
  for (; size >= 3 * BlockBytes; at += 3 * BlockBytes, size -= 3 * BlockBytes) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < BlockBytes; i += 8) {
      state = _mm_crc32_u64(state, load_word(at + i));
      second = _mm_crc32_u64(second, load_word(at + BlockBytes + i));
      third = _mm_crc32_u64(third, load_word(at + 2 * BlockBytes + i));
    }
    const __m128i carried = _mm_xor_si128(
        _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(state)), factors, 0x00),
        _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(second)), factors, 0x10));
    state = third ^ _mm_crc32_u64(0, static_cast<std::uint64_t>(_mm_cvtsi128_si64(carried)));
  }
  return state;
}

}  // namespace

MILLRACE_TARGET("sse4.2")
std::uint32_t crc32c_sse42(const std::byte* at, std::size_t size, std::uint32_t seed) noexcept {
  return ~run_serial(at, size, ~seed);
}

MILLRACE_TARGET("sse4.2,pclmul")
std::uint32_t crc32c_sse42_3way(const std::byte* at, std::size_t size,
                                std::uint32_t seed) noexcept {
  if (size < three_way_from_bytes) return ~run_serial(at, size, ~seed);
  std::uint64_t state = ~seed;
  state = run_three<1024>(at, size, state);
  state = run_three<64>(at, size, state);
  return ~run_serial(at, size, static_cast<std::uint32_t>(state));
}

#define MILLRACE_AVX2 "avx2,vpclmulqdq,pclmul,sse4.2"

namespace {

template <std::size_t Bytes>
MILLRACE_TARGET_INLINE(MILLRACE_AVX2)
__m256i fold_256(__m256i earlier, __m256i later) noexcept {
  const __m256i factors = _mm256_set_epi64x(carry_factor<8 * Bytes>, carry_factor<8 * Bytes + 64>,
                                            carry_factor<8 * Bytes>, carry_factor<8 * Bytes + 64>);
  return _mm256_xor_si256(_mm256_xor_si256(_mm256_clmulepi64_epi128(earlier, factors, 0x00),
                                           _mm256_clmulepi64_epi128(earlier, factors, 0x11)),
                          later);
}

MILLRACE_TARGET_INLINE(MILLRACE_AVX2)
__m256i load_256(const std::byte* from) noexcept {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

/// Folds at least 128 bytes down to 16; leaves fewer than 32 unread.
MILLRACE_TARGET_INLINE(MILLRACE_AVX2)
__m128i fold_all_256(const std::byte*& at, std::size_t& size, std::uint32_t state) noexcept {
  __m256i a = load_256(at);
  __m256i b = load_256(at + 32);
  __m256i c = load_256(at + 64);
  __m256i d = load_256(at + 96);
  a = _mm256_xor_si256(a, _mm256_zextsi128_si256(_mm_cvtsi32_si128(static_cast<int>(state))));
  for (at += 128, size -= 128; size >= 128; at += 128, size -= 128) {
    a = fold_256<128>(a, load_256(at));
    b = fold_256<128>(b, load_256(at + 32));
    c = fold_256<128>(c, load_256(at + 64));
    d = fold_256<128>(d, load_256(at + 96));
  }
  d = fold_256<64>(fold_256<32>(a, b), fold_256<32>(c, d));
  for (; size >= 32; at += 32, size -= 32) d = fold_256<32>(d, load_256(at));
  const __m128i early = _mm256_castsi256_si128(d);
  const __m128i factors = _mm_set_epi64x(carry_factor<128>, carry_factor<192>);
  return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(early, factors, 0x00),
                                     _mm_clmulepi64_si128(early, factors, 0x11)),
                       _mm256_extracti128_si256(d, 1));
}

}  // namespace

MILLRACE_TARGET(MILLRACE_AVX2)
std::uint32_t crc32c_avx2(const std::byte* at, std::size_t size, std::uint32_t seed) noexcept {
  if (size < avx2_from_bytes) return ~run_serial(at, size, ~seed);
  const __m128i last = fold_all_256(at, size, ~seed);
  return ~run_serial(at, size, reduce(last));
}

#define MILLRACE_AVX512 "avx512f,avx512vl,vpclmulqdq,pclmul,sse4.2"

namespace {

template <std::size_t Bytes>
MILLRACE_TARGET_INLINE(MILLRACE_AVX512)
__m512i fold_512(__m512i earlier, __m512i later) noexcept {
  const __m512i factors =
      _mm512_broadcast_i32x4(_mm_set_epi64x(carry_factor<8 * Bytes>, carry_factor<8 * Bytes + 64>));
  constexpr int xor_of_three = 0x96;
  return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(earlier, factors, 0x00),
                                   _mm512_clmulepi64_epi128(earlier, factors, 0x11), later,
                                   xor_of_three);
}

MILLRACE_TARGET_INLINE(MILLRACE_AVX512)
__m512i load_512(const std::byte* from) noexcept {
  return _mm512_loadu_si512(from);
}

/// Carries each of the four 16-byte lanes to the last one.
MILLRACE_TARGET_INLINE(MILLRACE_AVX512)
__m128i join_lanes(__m512i lanes) noexcept {
  const __m512i factors =
      _mm512_set_epi64(0, 0, carry_factor<128>, carry_factor<192>, carry_factor<256>,
                       carry_factor<320>, carry_factor<384>, carry_factor<448>);
  const __m512i carried = _mm512_xor_si512(_mm512_clmulepi64_epi128(lanes, factors, 0x00),
                                           _mm512_clmulepi64_epi128(lanes, factors, 0x11));
  const __m256i half =
      _mm256_xor_si256(_mm512_castsi512_si256(carried), _mm512_extracti64x4_epi64(carried, 1));
  return _mm_xor_si128(
      _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)),
      _mm512_extracti32x4_epi32(lanes, 3));
}

/// Folds at least 64 bytes down to 16; leaves fewer than 64 unread.
MILLRACE_TARGET_INLINE(MILLRACE_AVX512)
__m128i fold_all_512(const std::byte*& at, std::size_t& size, std::uint32_t state) noexcept {
  __m512i a = load_512(at);
  a = _mm512_xor_si512(a, _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(state))));
  if (size >= 256) {
    __m512i b = load_512(at + 64);
    __m512i c = load_512(at + 128);
    __m512i d = load_512(at + 192);
    for (at += 256, size -= 256; size >= 256; at += 256, size -= 256) {
      a = fold_512<256>(a, load_512(at));
      b = fold_512<256>(b, load_512(at + 64));
      c = fold_512<256>(c, load_512(at + 128));
      d = fold_512<256>(d, load_512(at + 192));
    }
    a = fold_512<128>(fold_512<64>(a, b), fold_512<64>(c, d));
  } else {
    at += 64;
    size -= 64;
  }
  for (; size >= 64; at += 64, size -= 64) a = fold_512<64>(a, load_512(at));
  return join_lanes(a);
}

}  // namespace

MILLRACE_TARGET(MILLRACE_AVX512)
std::uint32_t crc32c_avx512(const std::byte* at, std::size_t size, std::uint32_t seed) noexcept {
  if (size < avx512_from_bytes) return ~run_serial(at, size, ~seed);
  const __m128i last = fold_all_512(at, size, ~seed);
  return ~run_serial(at, size, reduce(last));
}

}  // namespace millrace::inline v0::detail

#undef MILLRACE_AVX2
#undef MILLRACE_AVX512
#undef MILLRACE_TARGET
#undef MILLRACE_TARGET_INLINE
#endif
