#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <cstring>
#include <limits>
#include <millrace/core/crc32c.hpp>
#include <millrace/core/varint.hpp>
#include <millrace/record/batch_builder.hpp>
#include <millrace/record/batch_view.hpp>
#include <millrace/record/compression.hpp>
#include <type_traits>
#include <utility>

namespace millrace::inline v0::record {
namespace {

constexpr std::size_t first_capacity = 4096;
constexpr std::size_t largest_batch = std::numeric_limits<std::int32_t>::max();

using detail::RecordFields;

struct HeaderFields {
  std::int16_t attributes = 0;
  std::int32_t last_offset_delta = 0;
  std::int64_t base_timestamp = -1;
  std::int64_t max_timestamp = -1;
  ProducerIdentity producer;
  std::int32_t record_count = 0;
};

constexpr std::uint64_t bits(std::integral auto value) noexcept {
  return static_cast<std::make_unsigned_t<decltype(value)>>(value);
}

/// Writes all fields but the CRC. What the CRC covers goes out in whole words from its start on, so
/// that a CRC taken right afterwards can read the words out of the store buffer.
inline void write_header(std::byte* to, std::size_t batch_bytes, const HeaderFields& fields,
                         Offset base_offset = Offset{0},
                         LeaderEpoch epoch = LeaderEpoch::unknown) noexcept {
  store_big(to + layout::base_offset, base_offset.value());
  store_big(to + layout::batch_length,
            static_cast<std::int32_t>(batch_bytes - layout::length_overhead));
  store_big(to + layout::leader_epoch, static_cast<std::int32_t>(epoch));
  store_big(to + layout::magic, current_magic);
  const std::uint64_t base_time = bits(fields.base_timestamp);
  const std::uint64_t max_time = bits(fields.max_timestamp);
  const std::uint64_t producer = bits(fields.producer.id);
  std::byte* const covered = to + layout::attributes;
  store_big(covered,
            bits(fields.attributes) << 48 | bits(fields.last_offset_delta) << 16 | base_time >> 48);
  store_big(covered + 8, base_time << 16 | max_time >> 48);
  store_big(covered + 16, max_time << 16 | producer >> 48);
  store_big(covered + 24, producer << 16 | bits(fields.producer.epoch));
  store_big(covered + 32, bits(fields.producer.base_sequence) << 32 | bits(fields.record_count));
}
static_assert(layout::last_offset_delta == layout::attributes + 2 &&
              layout::base_timestamp == layout::attributes + 6 &&
              layout::max_timestamp == layout::attributes + 14 &&
              layout::producer_id == layout::attributes + 22 &&
              layout::producer_epoch == layout::attributes + 30 &&
              layout::base_sequence == layout::attributes + 32 &&
              layout::record_count == layout::attributes + 36);

inline void write_crc(std::byte* batch, std::size_t batch_bytes) noexcept {
  const Bytes covered(batch + layout::attributes, batch_bytes - layout::attributes);
  store_big(batch + layout::crc, crc32c(covered));
}

Error too_large(std::size_t used, std::size_t more) {
  return {Errc::invalid_record,
          fmt::format("adding a record of up to {} bytes to a batch of {} bytes: a batch holds at "
                      "most {} bytes and records; finish this one first or split the record",
                      more, used, largest_batch)};
}

}  // namespace

BatchBuilder::BatchBuilder(BatchOptions options) : options_(options) {}

BatchBuilder::BatchBuilder(BatchBuilder&& other) noexcept : options_(other.options_) {
  *this = std::move(other);
}

BatchBuilder& BatchBuilder::operator=(BatchBuilder&& other) noexcept {
  if (this == &other) return *this;
  options_ = other.options_;
  buffer_ = std::move(other.buffer_);
  capacity_ = std::exchange(other.capacity_, 0);
  used_ = other.used_;
  count_ = other.count_;
  last_delta_ = other.last_delta_;
  base_timestamp_ = other.base_timestamp_;
  max_timestamp_ = other.max_timestamp_;
  compressed_ = std::move(other.compressed_);
  other.reset();
  return *this;
}

void BatchBuilder::reset(const BatchOptions& options) {
  options_ = options;
  reset();
}

void BatchBuilder::reset() noexcept {
  used_ = layout::header_bytes;
  count_ = 0;
  last_delta_ = -1;
  base_timestamp_ = -1;
  max_timestamp_ = -1;
}

std::byte* BatchBuilder::room(std::size_t bytes) {
  if (capacity_ < used_ + bytes) [[unlikely]] {
    const std::size_t wanted =
        std::max({first_capacity, used_ + bytes, std::min(2 * capacity_, largest_batch)});
    auto larger = std::make_unique_for_overwrite<std::byte[]>(wanted);
    if (buffer_) std::memcpy(larger.get(), buffer_.get(), used_);
    buffer_ = std::move(larger);
    capacity_ = wanted;
  }
  return buffer_.get() + used_;
}

template <typename HeaderSource>
Result<void> BatchBuilder::append(const RecordFields& record, const HeaderSource& headers) {
  const std::size_t bound = detail::record_overhead_bound + detail::size_of(record.key) +
                            detail::size_of(record.value) + detail::headers_size(headers);
  if (bound > largest_batch - used_) [[unlikely]]
    return too_large(used_, bound);
  std::byte* const start = room(bound);
  take(detail::write_record(start, record, base_timestamp_, headers), record);
  return {};
}

Result<void> BatchBuilder::add_slowly(const RecordFields& record,
                                      std::span<const HeaderView> headers) {
  if (last_delta_ == std::numeric_limits<std::int32_t>::max())
    return too_large(used_, record_bound(record.key, record.value, headers));
  if (count_ == 0) base_timestamp_ = max_timestamp_ = record.timestamp;
  return append(record, headers);
}

Result<void> BatchBuilder::add_at(std::int32_t offset_delta, Timestamp timestamp,
                                  std::optional<Bytes> key, std::optional<Bytes> value,
                                  const HeaderList& headers) {
  if (offset_delta <= last_delta_) {
    return Error(
        Errc::invalid_argument,
        fmt::format("adding a record with offset delta {} to a batch: it must be above {}, "
                    "the one before; add records in the order of their offsets",
                    offset_delta, last_delta_));
  }
  if (count_ == 0) base_timestamp_ = max_timestamp_ = timestamp.milliseconds();
  return append({offset_delta, timestamp.milliseconds(), key, value}, headers);
}

std::size_t BatchBuilder::record_bound(std::optional<Bytes> key, std::optional<Bytes> value,
                                       std::span<const HeaderView> headers) noexcept {
  return detail::record_overhead_bound + detail::size_of(key) + detail::size_of(value) +
         detail::headers_size(headers);
}

Result<MutableBytes> BatchBuilder::finish() {
  if (count_ == 0) {
    return Error(Errc::invalid_record,
                 "finishing a record batch: it has no records; add one before finish()");
  }
  return seal(last_delta_, false);
}

Result<MutableBytes> BatchBuilder::finish_compacted(std::int32_t last_offset_delta,
                                                    std::optional<Timestamp> delete_horizon,
                                                    Timestamp time_if_empty) {
  if (last_offset_delta < 0 || last_offset_delta < last_delta_) {
    return Error(Errc::invalid_argument,
                 fmt::format("finishing a compacted batch with last offset delta {}: it must be at "
                             "least {}; pass the one of the batch that is rewritten",
                             last_offset_delta, std::max(last_delta_, 0)));
  }
  if (count_ == 0) max_timestamp_ = time_if_empty.milliseconds();
  if (delete_horizon) MILLRACE_CHECK(rebase(delete_horizon->milliseconds()));
  return seal(last_offset_delta, delete_horizon.has_value());
}

Result<void> BatchBuilder::rebase(std::int64_t base_timestamp) {
  const std::int64_t shift = detail::wrapping_difference(base_timestamp, base_timestamp_);
  if (count_ == 0 || shift == 0) {
    base_timestamp_ = base_timestamp;
    return {};
  }
  BatchBuilder rebased(options_);
  rebased.base_timestamp_ = base_timestamp;
  rebased.max_timestamp_ = max_timestamp_;
  BatchOptions plain = options_;
  plain.codec = Codec::none;
  std::swap(plain, options_);
  auto sealed = seal(last_delta_, false);
  std::swap(plain, options_);
  if (!sealed) return std::move(sealed).error();
  std::vector<std::byte> none;
  MILLRACE_TRY(const BatchView batch, BatchView::parse(*sealed));
  MILLRACE_TRY(RecordCursor cursor, RecordCursor::open(batch, none));
  for (RecordView record; cursor.next(record) == RecordCursor::Step::record;) {
    const auto delta = static_cast<std::int32_t>(record.offset.value());
    MILLRACE_CHECK(rebased.append(
        {delta, record.timestamp.milliseconds(), record.key, record.value}, record.headers));
  }
  *this = std::move(rebased);
  return {};
}

Result<MutableBytes> BatchBuilder::seal(std::int32_t last_offset_delta, bool horizon) {
  room(0);
  MutableBytes batch(buffer_.get(), used_);
  if (options_.codec != Codec::none) {
    compressed_.resize(layout::header_bytes);
    const Bytes records = batch.subspan(layout::header_bytes);
    MILLRACE_CHECK(compress(options_.codec, options_.level, records, compressed_));
    if (compressed_.size() > largest_batch) return too_large(compressed_.size(), 0);
    batch = compressed_;
  }

  int attributes = static_cast<int>(options_.codec);
  if (options_.transactional) attributes |= attribute_transactional;
  if (options_.control) attributes |= attribute_control;
  if (horizon) attributes |= attribute_delete_horizon;
  write_header(batch.data(), batch.size(),
               {static_cast<std::int16_t>(attributes), last_offset_delta, base_timestamp_,
                max_timestamp_, options_.producer, count_});
  write_crc(batch.data(), batch.size());
  return batch;
}

void stamp_batch(MutableBytes batch, Offset base_offset, LeaderEpoch epoch) noexcept {
  store_big(batch.data() + layout::base_offset, base_offset.value());
  store_big(batch.data() + layout::leader_epoch, static_cast<std::int32_t>(epoch));
}

void stamp_append_time(MutableBytes batch, Timestamp time) noexcept {
  std::byte* const at = batch.data();
  const int attributes =
      load_big<std::int16_t>(at + layout::attributes) | attribute_log_append_time;
  store_big(at + layout::attributes, static_cast<std::int16_t>(attributes));
  store_big(at + layout::max_timestamp, time.milliseconds());
  write_crc(at, batch.size());
}

namespace {

/// The commonest record: no key, no headers, a value of moderate size.
bool is_plain(const std::optional<Bytes>& key, const std::optional<Bytes>& value,
              std::span<const HeaderView> headers) noexcept {
  constexpr std::size_t largest_plain = 8000;  // its length takes two bytes
  return !key && headers.empty() && value && !value->empty() && value->size() <= largest_plain;
}

/// A number below 2^14 as a varint in the low bytes of a word.
struct ShortVarint {
  explicit ShortVarint(std::uint64_t value) noexcept
      : word(value < 0x80 ? value : (value & 0x7f) | 0x80 | (value >> 7) << 8),
        bits(value < 0x80 ? 8 : 16) {}
  std::uint64_t word;
  unsigned bits;
};

/// Everything before the value goes out in whole words and the value's CRC is taken from where it
/// came from: a read of bytes that were just written by several narrower stores would stall.
std::size_t encode_plain(std::byte* to, Timestamp timestamp, Bytes value, Offset base_offset,
                         LeaderEpoch epoch) noexcept {
  const ShortVarint value_length(value.size() << 1);
  constexpr std::size_t fixed_bytes = 5;  // attributes, time, offset, no key; no headers at the end
  const ShortVarint length((fixed_bytes + value_length.bits / 8 + value.size()) << 1);
  constexpr std::uint64_t null_key = std::uint64_t{1} << 24;
  const std::uint64_t start = length.word | (null_key | value_length.word << 32) << length.bits;
  const std::size_t start_bytes = (length.bits + 32 + value_length.bits) / 8;

  std::byte* const record = to + layout::header_bytes;
  std::byte* const at = record + start_bytes;
  const std::uint64_t little = boost::endian::native_to_little(start);
  std::memcpy(record, &little, sizeof little);
  std::memcpy(at, value.data(), value.size());
  std::byte* const headers = at + value.size();
  *headers = std::byte{0};
  const auto bytes = static_cast<std::size_t>(headers + 1 - to);
  const std::int64_t time = timestamp.milliseconds();
  write_header(to, bytes, {0, 0, time, time, {}, 1}, base_offset, epoch);

  const std::byte* const covered = to + layout::attributes;
  std::uint32_t crc = crc32c({covered, static_cast<std::size_t>(at - covered)});
  crc = crc32c({headers, 1}, crc32c(value, crc));
  store_big(to + layout::crc, crc);
  return bytes;
}

}  // namespace

std::size_t encode_single(std::byte* to, Timestamp timestamp, std::optional<Bytes> key,
                          std::optional<Bytes> value, std::span<const HeaderView> headers,
                          Offset base_offset, LeaderEpoch epoch) noexcept {
  if (is_plain(key, value, headers)) return encode_plain(to, timestamp, *value, base_offset, epoch);
  const RecordFields record{0, timestamp.milliseconds(), key, value};
  const std::byte* const end =
      detail::write_record(to + layout::header_bytes, record, record.timestamp, headers);
  const auto bytes = static_cast<std::size_t>(end - to);
  write_header(to, bytes, {0, 0, record.timestamp, record.timestamp, {}, 1}, base_offset, epoch);
  write_crc(to, bytes);
  return bytes;
}

std::size_t single_record_bound(std::optional<Bytes> key, std::optional<Bytes> value,
                                std::span<const HeaderView> headers) noexcept {
  return layout::header_bytes + BatchBuilder::record_bound(key, value, headers);
}

}  // namespace millrace::inline v0::record
