#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <millrace/core/crc32c.hpp>
#include <millrace/core/varint.hpp>
#include <millrace/record/batch_view.hpp>
#include <millrace/record/compression.hpp>

namespace millrace::inline v0::record {
namespace {

/// Attributes, timestamp delta, offset delta, key and value length, header count: a byte each.
constexpr std::int64_t smallest_record_body = 6;

constexpr std::uint8_t last_codec = static_cast<std::uint8_t>(Codec::zstd);

/// Why the bytes are no batch, nullptr if they are one.
const char* find_fault(Bytes bytes) noexcept {
  if (bytes.size() < layout::header_bytes) return "fewer bytes than a batch header has";
  const std::byte* const at = bytes.data();
  const std::int64_t length = load_big<std::int32_t>(at + layout::batch_length);
  constexpr std::int64_t overhead = layout::length_overhead;
  if (length < static_cast<std::int64_t>(layout::header_bytes) - overhead)
    return "the batch length is shorter than a header";
  if (static_cast<std::uint64_t>(length + overhead) > bytes.size())
    return "the batch length passes the end of the bytes";
  if (load_big<std::int8_t>(at + layout::magic) != current_magic) return "the magic is not 2";
  if ((load_big<std::int16_t>(at + layout::attributes) & attribute_codec_mask) > last_codec)
    return "the codec number is none of Kafka's";
  const auto last_delta = load_big<std::int32_t>(at + layout::last_offset_delta);
  if (last_delta < 0) return "the last offset delta is negative";
  if (load_big<std::int32_t>(at + layout::record_count) < 0) return "the record count is negative";
  const auto base = load_big<std::int64_t>(at + layout::base_offset);
  if (base < 0 || base >= std::numeric_limits<std::int64_t>::max() - last_delta)
    return "the base offset is out of range";
  return nullptr;
}

std::size_t stored_size(Bytes bytes) noexcept {
  return static_cast<std::size_t>(load_big<std::int32_t>(bytes.data() + layout::batch_length)) +
         layout::length_overhead;
}

/// Walks `count` encoded headers, which must end at `end`.
bool headers_fit(const std::byte* at, const std::byte* end, std::int64_t count) noexcept {
  for (; count > 0; --count) {
    std::int64_t length = 0;
    at = decode_zigzag<5>(at, end, length);
    if (at == nullptr || length < 0 || length > end - at) return false;
    at = decode_zigzag<5>(at + length, end, length);
    if (at == nullptr || length < -1 || length > end - at) return false;
    if (length > 0) at += length;
  }
  return at == end;
}

/// Reads a key or value with its length; false if it does not fit.
inline bool read_field(const std::byte*& at, const std::byte* end,
                       std::optional<Bytes>& out) noexcept {
  std::uint64_t raw = 0;
  const std::byte* const start = decode_varint<5>(at, end, raw);
  if (start == nullptr) [[unlikely]]
    return false;
  if ((raw & 1) != 0) {
    out.reset();
    at = start;
    return raw == 1;
  }
  const std::uint64_t length = raw >> 1;
  if (length > static_cast<std::uint64_t>(end - start)) [[unlikely]]
    return false;
  out.emplace(start, static_cast<std::size_t>(length));
  at = start + length;
  return true;
}

/// Where the record at `at` has its body, empty if it does not fit before `end`.
inline Bytes record_body(const std::byte* at, const std::byte* end) noexcept {
  std::uint64_t raw = 0;
  const std::byte* const start = decode_varint<5>(at, end, raw);
  const std::uint64_t length = raw >> 1;
  if (start == nullptr || (raw & 1) != 0 || length < smallest_record_body ||
      length > static_cast<std::uint64_t>(end - start)) [[unlikely]]
    return {};
  return {start, static_cast<std::size_t>(length)};
}

inline std::uint64_t load_word(const std::byte* at) noexcept {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return boost::endian::little_to_native(word);
}

/// How many bytes the first fields of a record take. Records of one batch mostly have the same
/// shape, and then one comparison of the first word stands for all the tests of single bytes.
struct Shape {
  bool matches(std::uint64_t word) const noexcept { return (word & mask) == expected; }
  /// The record's size, with its length field.
  std::ptrdiff_t size(std::uint64_t word) const noexcept {
    return static_cast<std::ptrdiff_t>(((word >> 1) & 0x3f) + ((word >> 2) & length_high)) +
           length_bytes;
  }
  std::int64_t delta(std::uint64_t word) const noexcept {
    word >>= delta_shift;
    return static_cast<std::int64_t>((word & 0x3f) + ((word >> 1) & delta_high));
  }

  std::uint64_t mask = 0;
  std::uint64_t expected = 1;  // never matches
  std::uint64_t length_high = 0;
  std::uint64_t delta_high = 0;
  int length_bytes = 0;
  int delta_shift = 0;
  int fields_bytes = 0;
};

/// The shape of a record that starts with `word`; one that never matches if the length or offset
/// takes more than two bytes, the time more than three, or one of the former is negative.
Shape shape_of(std::uint64_t word) noexcept {
  constexpr std::uint64_t second_byte = 0x1fc0;
  constexpr std::uint64_t in_one_byte = 0x81, in_two_bytes = 0x8081;
  Shape shape;
  const bool long_length = (word & in_one_byte) != 0;
  shape.length_bytes = long_length ? 2 : 1;
  shape.length_high = long_length ? second_byte : 0;
  std::uint64_t mask = long_length ? in_two_bytes : in_one_byte;
  std::uint64_t expected = long_length ? 0x80 : 0;

  int at = 8 * shape.length_bytes + 8;
  for (int time_bytes = 1; (word >> (at + 7) & 1) != 0; ++time_bytes, at += 8) {
    if (time_bytes == 3) return shape;
    mask |= std::uint64_t{0x80} << at;
    expected |= std::uint64_t{0x80} << at;
  }
  mask |= std::uint64_t{0x80} << at;
  at += 8;

  const bool long_delta = (word >> at & in_one_byte) != 0;
  shape.delta_shift = at + 1;
  shape.delta_high = long_delta ? second_byte : 0;
  shape.fields_bytes = at / 8 + (long_delta ? 2 : 1);
  mask |= (long_delta ? in_two_bytes : in_one_byte) << at;
  expected |= std::uint64_t{long_delta ? 0x80u : 0u} << at;
  if ((word & mask) == expected) {
    shape.mask = mask;
    shape.expected = expected;
  }
  return shape;
}

/// Where a walk over records stands; a local copy of a cursor's state.
struct Walk {
  const std::byte* at;
  const std::byte* end;
  std::int32_t left;
  std::int64_t next_delta;
  std::int64_t wanted;  // records below this delta are passed over
};

/// Passes over records of this shape as long as their length field is that of `word`.
inline void skip_alike(Walk& walk, const Shape& shape, std::uint64_t word) noexcept {
  const std::uint64_t mask = shape.mask | ((std::uint64_t{1} << (8 * shape.length_bytes)) - 1);
  const std::uint64_t expected = word & mask;
  const std::ptrdiff_t size = shape.size(word);
  // The step does not depend on the bytes just read, so that the processor loads the records ahead
  // while it still checks this one.
  std::ptrdiff_t room = walk.end - walk.at - std::max(size, detail::quick_bytes);
  for (; walk.left > 0 && room >= 0; --walk.left, room -= size, walk.at += size) {
    word = load_word(walk.at);
    const std::int64_t delta = shape.delta(word);
    if ((word & mask) != expected || delta < walk.next_delta || delta >= walk.wanted) return;
    walk.next_delta = delta + 1;
  }
}

/// So many records in a row have the same length before the next one's is guessed.
constexpr int alike_to_guess = 2;

/// Passes over records of this shape; whether it came to one of another shape.
inline bool skip_of_shape(Walk& walk, const Shape& shape) noexcept {
  std::ptrdiff_t usual = 0;
  int alike = 0;
  while (walk.left > 0 && walk.end - walk.at >= detail::quick_bytes) {
    const std::uint64_t word = load_word(walk.at);
    if (!shape.matches(word)) return true;
    const std::ptrdiff_t size = shape.size(word);
    const std::int64_t delta = shape.delta(word);
    if (size < shape.fields_bytes || size > walk.end - walk.at || delta < walk.next_delta ||
        delta >= walk.wanted)
      return false;
    walk.at += size;
    --walk.left;
    walk.next_delta = delta + 1;
    alike = size == usual ? alike + 1 : 0;
    usual = size;
    if (alike >= alike_to_guess) skip_alike(walk, shape, word);
  }
  return false;
}

}  // namespace

Result<BatchView> BatchView::parse(Bytes bytes) {
  if (const char* fault = find_fault(bytes); fault != nullptr) {
    return Error(Errc::corrupt_data,
                 fmt::format("reading a record batch from {} bytes: {}; the data is damaged or not "
                             "a Kafka batch of format 2",
                             bytes.size(), fault));
  }
  return BatchView(bytes.data(), stored_size(bytes));
}

BatchView BatchView::try_parse(Bytes bytes) noexcept {
  if (find_fault(bytes) != nullptr) return {};
  return BatchView(bytes.data(), stored_size(bytes));
}

std::optional<Timestamp> BatchView::delete_horizon() const noexcept {
  if ((attributes() & attribute_delete_horizon) == 0) return std::nullopt;
  return base_timestamp();
}

bool BatchView::crc_matches() const noexcept {
  return crc32c(bytes().subspan(layout::attributes)) == stored_crc();
}

Result<RecordCursor> RecordCursor::open(BatchView batch, std::vector<std::byte>& scratch,
                                        std::size_t limit_bytes) {
  RecordCursor cursor;
  if (batch.size() == 0) return cursor;
  Bytes records = batch.payload();
  if (batch.codec() != Codec::none && !records.empty()) {
    MILLRACE_CHECK(decompress(batch.codec(), records, scratch, limit_bytes));
    records = scratch;
  }
  cursor.at_ = records.data();
  cursor.end_ = records.data() + records.size();
  cursor.base_offset_ = batch.base_offset();
  cursor.base_timestamp_ = batch.base_timestamp().milliseconds();
  cursor.append_time_set_ = batch.timestamp_type() == TimestampType::log_append_time;
  cursor.append_time_ = batch.max_timestamp().milliseconds();
  cursor.left_ = batch.record_count();
  cursor.last_delta_ = batch.last_offset_delta();
  return cursor;
}

RecordCursor::Step RecordCursor::fail() noexcept {
  left_ = -1;
  return Step::malformed;
}

RecordCursor::Step RecordCursor::next_checked(RecordView& out) noexcept {
  if (left_ <= 0) [[unlikely]]
    return left_ == 0 && at_ == end_ ? Step::end : fail();
  const Bytes body = record_body(at_, end_);
  if (body.empty()) [[unlikely]]
    return fail();
  const std::byte* const end = body.data() + body.size();

  std::int64_t timestamp_delta = 0;
  const std::byte* at = decode_zigzag<10>(body.data() + 1, end, timestamp_delta);
  if (at == nullptr) [[unlikely]]
    return fail();
  std::int64_t offset_delta = 0;
  at = decode_zigzag<5>(at, end, offset_delta);
  if (at == nullptr || offset_delta < next_delta_ || offset_delta > last_delta_) [[unlikely]]
    return fail();
  if (!read_field(at, end, out.key) || !read_field(at, end, out.value)) [[unlikely]]
    return fail();
  std::int64_t header_count = 0;
  at = decode_zigzag<5>(at, end, header_count);
  if (at == nullptr || header_count < 0) [[unlikely]]
    return fail();
  if (at != end || header_count != 0) [[unlikely]] {
    if (!headers_fit(at, end, header_count)) return fail();
  }

  out.offset = base_offset_ + offset_delta;
  out.timestamp = time_of(timestamp_delta);
  out.headers = HeaderList({at, end}, static_cast<std::int32_t>(header_count));
  at_ = end;
  --left_;
  next_delta_ = offset_delta + 1;
  return Step::record;
}

bool RecordCursor::skip_one(Offset offset) noexcept {
  const Bytes body = record_body(at_, end_);
  if (body.empty()) return fail(), false;
  const std::byte* const end = body.data() + body.size();
  std::int64_t delta = 0;
  const std::byte* at = decode_zigzag<10>(body.data() + 1, end, delta);
  if (at != nullptr) at = decode_zigzag<5>(at, end, delta);
  if (at == nullptr || delta < next_delta_ || delta > last_delta_) return fail(), false;
  if (base_offset_ + delta >= offset) return false;
  at_ = end;
  --left_;
  next_delta_ = delta + 1;
  return true;
}

void RecordCursor::skip_quickly(Offset offset) noexcept {
  if (left_ <= 0 || end_ - at_ < detail::quick_bytes) return;
  Walk walk{at_, end_, left_, next_delta_, std::min(offset - base_offset_, last_delta_ + 1)};
  Shape shape = shape_of(load_word(walk.at));
  while (skip_of_shape(walk, shape)) {
    shape = shape_of(load_word(walk.at));
    if (!shape.matches(load_word(walk.at))) break;
  }
  at_ = walk.at;
  left_ = walk.left;
  next_delta_ = walk.next_delta;
}

RecordCursor::Step RecordCursor::skip_to(Offset offset, RecordView& out) noexcept {
  if (offset - base_offset_ <= next_delta_) return next(out);
  skip_quickly(offset);
  while (left_ > 0 && skip_one(offset)) skip_quickly(offset);
  return next(out);
}

}  // namespace millrace::inline v0::record
