#include <millrace/record/batch_view.hpp>

#include <fmt/format.h>

#include <limits>

#include <millrace/core/crc32c.hpp>
#include <millrace/core/varint.hpp>
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

RecordCursor::Step RecordCursor::next(RecordView& out) noexcept {
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
  // Unsigned, because damaged bytes may make the sum overflow.
  out.timestamp = Timestamp{
      append_time_set_ ? append_time_
                       : static_cast<std::int64_t>(static_cast<std::uint64_t>(base_timestamp_) +
                                                   static_cast<std::uint64_t>(timestamp_delta))};
  out.headers = HeaderList({at, end}, static_cast<std::int32_t>(header_count));
  at_ = end;
  --left_;
  next_delta_ = offset_delta + 1;
  return Step::record;
}

RecordCursor::Step RecordCursor::skip_to(Offset offset, RecordView& out) noexcept {
  while (left_ > 0) {
    const Bytes body = record_body(at_, end_);
    if (body.empty()) return fail();
    const std::byte* const end = body.data() + body.size();
    std::int64_t delta = 0;
    const std::byte* at = decode_zigzag<10>(body.data() + 1, end, delta);
    if (at == nullptr) return fail();
    at = decode_zigzag<5>(at, end, delta);
    if (at == nullptr || delta < next_delta_ || delta > last_delta_) return fail();
    if (base_offset_ + delta >= offset) break;
    at_ = end;
    --left_;
    next_delta_ = delta + 1;
  }
  return next(out);
}

}  // namespace millrace::inline v0::record
