#if defined(MILLRACE_HAVE_SNAPPY)
#include <snappy.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "record/codecs.hpp"

namespace millrace::inline v0::record::detail {
namespace {

/// Java's (xerial's) stream: magic, version, lowest compatible version, then blocks with lengths.
constexpr std::array<unsigned char, 16> xerial_header = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0,
                                                         0,    0,   0,   1,   0,   0,   0,   1};
constexpr std::size_t xerial_magic_bytes = 8;
constexpr std::size_t xerial_block_bytes = std::size_t{32} * 1024;
/// No element of the format yields more than 64 bytes from its at least 2.
constexpr std::size_t largest_expansion = 32;

const char* as_chars(const std::byte* from) noexcept {
  return reinterpret_cast<const char*>(from);
}

bool is_xerial(Bytes input) noexcept {
  return input.size() >= xerial_magic_bytes &&
         std::memcmp(input.data(), xerial_header.data(), xerial_magic_bytes) == 0;
}

Result<void> compress_snappy(int, Bytes input, std::vector<std::byte>& out) {
  std::size_t used = out.size();
  const std::size_t blocks = input.size() / xerial_block_bytes + 1;
  const std::size_t block_bound = 4 + snappy::MaxCompressedLength(xerial_block_bytes);
  const std::size_t bound = input.size() < xerial_block_bytes
                                ? 4 + snappy::MaxCompressedLength(input.size())
                                : blocks * block_bound;
  out.resize(used + xerial_header.size() + bound);
  std::memcpy(out.data() + used, xerial_header.data(), xerial_header.size());
  used += xerial_header.size();
  while (!input.empty()) {
    const Bytes block = input.first(std::min(input.size(), xerial_block_bytes));
    std::size_t written = 0;
    snappy::RawCompress(as_chars(block.data()), block.size(),
                        reinterpret_cast<char*>(out.data() + used + 4), &written);
    store_big(out.data() + used, static_cast<std::int32_t>(written));
    used += 4 + written;
    input = input.subspan(block.size());
  }
  out.resize(used);
  return {};
}

Fault decompress_block(Bytes block, BoundedOutput& out) {
  std::size_t length = 0;
  if (!snappy::GetUncompressedLength(as_chars(block.data()), block.size(), &length) ||
      length > largest_expansion * block.size())
    return "a snappy block has an impossible length";
  if (length > out.left()) return passes_limit;
  out.expect(length);
  const MutableBytes room = out.room();
  if (!snappy::RawUncompress(as_chars(block.data()), block.size(),
                             reinterpret_cast<char*>(room.data())))
    return "a snappy block is not sound";
  return out.take(length) ? nullptr : passes_limit;
}

Fault decompress_snappy(Bytes input, BoundedOutput& out) {
  if (!is_xerial(input)) return decompress_block(input, out);
  if (input.size() < xerial_header.size()) return cut_short;
  input = input.subspan(xerial_header.size());
  while (!input.empty()) {
    if (input.size() < 4) return cut_short;
    const auto length = load_big<std::uint32_t>(input.data());
    input = input.subspan(4);
    if (length > input.size()) return cut_short;
    if (const Fault fault = decompress_block(input.first(length), out); fault != nullptr)
      return fault;
    input = input.subspan(length);
  }
  return nullptr;
}

}  // namespace

const CodecFunctions snappy_codec = {compress_snappy, decompress_snappy};

}  // namespace millrace::inline v0::record::detail
#endif
