#include "protocol/legacy_lz4.hpp"

#include <bit>
#include <boost/endian/conversion.hpp>
#include <cstdint>
#include <cstring>

namespace millrace::inline v0::protocol {
namespace {

// An LZ4 frame begins with its magic number, the flags and the block size.
constexpr std::size_t magic_bytes = 4;
constexpr std::size_t flags_at = 4;
constexpr std::size_t least_header_bytes = 7;
constexpr std::byte content_size_flag{0x08};
constexpr std::byte dictionary_flag{0x01};

/// XXH32 with seed 0 of fewer than 16 bytes.
std::uint32_t short_xxh32(Bytes bytes) noexcept {
  constexpr std::uint32_t prime1 = 0x9e3779b1;
  constexpr std::uint32_t prime2 = 0x85ebca77;
  constexpr std::uint32_t prime3 = 0xc2b2ae3d;
  constexpr std::uint32_t prime4 = 0x27d4eb2f;
  constexpr std::uint32_t prime5 = 0x165667b1;
  std::uint32_t hash = prime5 + static_cast<std::uint32_t>(bytes.size());
  for (; bytes.size() >= 4; bytes = bytes.subspan(4)) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    hash = std::rotl(hash + boost::endian::little_to_native(word) * prime3, 17) * prime4;
  }
  for (const std::byte byte : bytes)
    hash = std::rotl(hash + std::to_integer<std::uint32_t>(byte) * prime5, 11) * prime1;
  hash = (hash ^ (hash >> 15)) * prime2;
  hash = (hash ^ (hash >> 13)) * prime3;
  return hash ^ (hash >> 16);
}

std::byte checksum(Bytes bytes) noexcept {
  return static_cast<std::byte>(short_xxh32(bytes) >> 8);
}

}  // namespace

std::vector<std::byte> with_sound_lz4_header(Bytes frame) {
  std::vector<std::byte> copy(frame.begin(), frame.end());
  if (copy.size() < least_header_bytes) return copy;
  const bool has_size = (copy[flags_at] & content_size_flag) != std::byte{0};
  // Kafka's clients never wrote a dictionary id.
  if ((copy[flags_at] & dictionary_flag) != std::byte{0}) return copy;
  const std::size_t checksum_at = least_header_bytes - 1 + (has_size ? 8 : 0);
  if (copy.size() <= checksum_at) return copy;
  const Bytes header = Bytes(copy).first(checksum_at);
  if (copy[checksum_at] == checksum(header))
    copy[checksum_at] = checksum(header.subspan(magic_bytes));
  return copy;
}

}  // namespace millrace::inline v0::protocol
