#include "storage/published_end.hpp"

#include <algorithm>
#include <array>
#include <millrace/record/batch_header.hpp>
#include <vector>

namespace millrace::inline v0::storage {
namespace {

namespace layout = record::layout;

/// What a walk needs of a header.
struct Header {
  std::uint64_t size = 0;  // 0: no batch stands there
  Offset last_offset;
};

Result<Header> read_header(const os::File& log, std::uint64_t position, std::uint64_t size) {
  std::array<std::byte, layout::header_bytes> bytes{};
  MILLRACE_TRY(const std::size_t got, log.read_at(bytes, position));
  if (got < bytes.size()) return Header{};
  const auto length = load_big<std::int32_t>(bytes.data() + layout::batch_length);
  if (length < static_cast<std::int32_t>(layout::header_bytes - layout::length_overhead)) {
    return Header{};
  }
  const std::uint64_t whole = static_cast<std::uint64_t>(length) + layout::length_overhead;
  if (whole > size - std::min(size, position)) return Header{};
  const Offset base{load_big<std::int64_t>(bytes.data() + layout::base_offset)};
  const auto delta = load_big<std::int32_t>(bytes.data() + layout::last_offset_delta);
  return Header{whole, base + delta};
}

/// Where the batch of the last entry that the log agrees with begins.
Result<std::uint64_t> last_indexed(const os::File& log, const OffsetIndex& index,
                                   std::uint64_t size) {
  for (std::size_t n = index.file().count(); n > 0; --n) {
    const OffsetEntry entry = index.entry(n - 1);
    MILLRACE_TRY(const Header header, read_header(log, entry.position.value(), size));
    if (header.size != 0 && header.last_offset == entry.offset) return entry.position.value();
  }
  return std::uint64_t{0};
}

}  // namespace

Result<bool> only_zeros_from(const os::File& file, std::uint64_t position) {
  std::vector<std::byte> piece(64u << 10);
  for (;;) {
    MILLRACE_TRY(const std::size_t got, file.read_at(piece, position));
    if (got == 0) return true;
    const auto end = piece.begin() + static_cast<std::ptrdiff_t>(got);
    if (std::any_of(piece.begin(), end, [](std::byte b) { return b != std::byte{0}; })) {
      return false;
    }
    position += got;
  }
}

Result<std::uint64_t> find_published_end(const os::File& log, const OffsetIndex* index,
                                         std::uint64_t size) {
  std::uint64_t position = 0;
  if (index != nullptr) {
    MILLRACE_TRY(position, last_indexed(log, *index, size));
  }
  while (position < size) {
    MILLRACE_TRY(const Header header, read_header(log, position, size));
    if (header.size == 0) break;
    position += header.size;
  }
  if (position >= size) return size;
  MILLRACE_TRY(const bool ended, only_zeros_from(log, position));
  return ended ? position : size;
}

}  // namespace millrace::inline v0::storage
