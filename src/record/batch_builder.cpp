#include <millrace/record/batch_builder.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include <millrace/core/crc32c.hpp>
#include <millrace/core/varint.hpp>
#include <millrace/record/batch_view.hpp>
#include <millrace/record/compression.hpp>

namespace millrace::inline v0::record {
namespace {

constexpr std::size_t first_capacity = 4096;
constexpr std::size_t largest_batch = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t varint32_bytes = 5;
constexpr std::size_t varint64_bytes = 10;
/// Length, attributes, timestamp and offset delta, key and value length, header count.
constexpr std::size_t record_overhead_bound =
    varint32_bytes + 1 + varint64_bytes + 4 * varint32_bytes;

inline std::byte* copy(std::byte* to, const std::byte* from, std::size_t bytes) noexcept {
  if (bytes != 0) std::memcpy(to, from, bytes);
  return to + bytes;
}

inline std::size_t size_of(const std::optional<Bytes>& field) noexcept {
  return field ? field->size() : 0;
}

inline std::size_t field_size(const std::optional<Bytes>& field) noexcept {
  return field ? varint_size(field->size() << 1) + field->size() : 1;
}

inline std::byte* write_field(std::byte* to, const std::optional<Bytes>& field) noexcept {
  if (!field) return encode_zigzag(to, -1);
  return copy(encode_varint(to, field->size() << 1), field->data(), field->size());
}

using Headers = std::span<const HeaderView>;

inline std::size_t headers_size(Headers headers) noexcept {
  std::size_t bytes = varint_size(headers.size() << 1);
  for (const HeaderView& header : headers)
    bytes += varint_size(header.key.size() << 1) + header.key.size() + field_size(header.value);
  return bytes;
}

inline std::size_t headers_size(const HeaderList& headers) noexcept {
  return varint_size(zigzag(headers.count())) + headers.encoded().size();
}

inline std::byte* write_headers(std::byte* to, Headers headers) noexcept {
  to = encode_varint(to, headers.size() << 1);
  for (const HeaderView& header : headers) {
    to = write_field(to, as_bytes(header.key));
    to = write_field(to, header.value);
  }
  return to;
}

inline std::byte* write_headers(std::byte* to, const HeaderList& headers) noexcept {
  to = encode_zigzag(to, headers.count());
  return copy(to, headers.encoded().data(), headers.encoded().size());
}

inline std::int64_t wrapping_difference(std::int64_t a, std::int64_t b) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

}  // namespace

struct detail::RecordFields {
  std::int32_t offset_delta;
  std::int64_t timestamp;
  const std::optional<Bytes>& key;
  const std::optional<Bytes>& value;
};

namespace {

using detail::RecordFields;

template <typename HeaderSource>
inline std::byte* write_record(std::byte* to, const RecordFields& record,
                               std::int64_t base_timestamp, const HeaderSource& headers) noexcept {
  const std::uint64_t time = zigzag(wrapping_difference(record.timestamp, base_timestamp));
  const std::uint64_t delta = zigzag(record.offset_delta);
  const std::size_t body = 1 + varint_size(time) + varint_size(delta) + field_size(record.key) +
                           field_size(record.value) + headers_size(headers);
  to = encode_varint(to, body << 1);
  *to++ = std::byte{0};
  to = encode_varint(to, time);
  to = encode_varint(to, delta);
  to = write_field(to, record.key);
  to = write_field(to, record.value);
  return write_headers(to, headers);
}

struct HeaderFields {
  std::int16_t attributes = 0;
  std::int32_t last_offset_delta = 0;
  std::int64_t base_timestamp = -1;
  std::int64_t max_timestamp = -1;
  ProducerIdentity producer;
  std::int32_t record_count = 0;
};

inline void write_header(std::byte* to, std::size_t batch_bytes,
                         const HeaderFields& fields) noexcept {
  store_big(to + layout::base_offset, std::int64_t{0});
  store_big(to + layout::batch_length,
            static_cast<std::int32_t>(batch_bytes - layout::length_overhead));
  store_big(to + layout::leader_epoch, std::int32_t{-1});
  store_big(to + layout::magic, current_magic);
  store_big(to + layout::attributes, fields.attributes);
  store_big(to + layout::last_offset_delta, fields.last_offset_delta);
  store_big(to + layout::base_timestamp, fields.base_timestamp);
  store_big(to + layout::max_timestamp, fields.max_timestamp);
  store_big(to + layout::producer_id, fields.producer.id);
  store_big(to + layout::producer_epoch, fields.producer.epoch);
  store_big(to + layout::base_sequence, fields.producer.base_sequence);
  store_big(to + layout::record_count, fields.record_count);
}

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
    const std::size_t wanted = std::max({first_capacity, used_ + bytes, 2 * capacity_});
    auto larger = std::make_unique_for_overwrite<std::byte[]>(wanted);
    if (buffer_) std::memcpy(larger.get(), buffer_.get(), used_);
    buffer_ = std::move(larger);
    capacity_ = wanted;
  }
  return buffer_.get() + used_;
}

template <typename HeaderSource>
Result<void> BatchBuilder::append(const RecordFields& record, const HeaderSource& headers) {
  const std::size_t bound =
      record_overhead_bound + size_of(record.key) + size_of(record.value) + headers_size(headers);
  if (bound > largest_batch - used_) [[unlikely]]
    return too_large(used_, bound);
  std::byte* const start = room(bound);
  const std::byte* const end = write_record(start, record, base_timestamp_, headers);
  used_ += static_cast<std::size_t>(end - start);
  ++count_;
  last_delta_ = record.offset_delta;
  max_timestamp_ = std::max(max_timestamp_, record.timestamp);
  return {};
}

Result<void> BatchBuilder::add(Timestamp timestamp, std::optional<Bytes> key,
                               std::optional<Bytes> value, std::span<const HeaderView> headers) {
  if (last_delta_ == std::numeric_limits<std::int32_t>::max()) [[unlikely]]
    return too_large(used_, record_bound(key, value, headers));
  if (count_ == 0) base_timestamp_ = max_timestamp_ = timestamp.milliseconds();
  return append({last_delta_ + 1, timestamp.milliseconds(), key, value}, headers);
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
  return record_overhead_bound + size_of(key) + size_of(value) + headers_size(headers);
}

Result<MutableBytes> BatchBuilder::finish() {
  if (count_ == 0) {
    return Error(Errc::invalid_record,
                 "finishing a record batch: it has no records; add one before finish()");
  }
  return seal(last_delta_, false);
}

Result<MutableBytes> BatchBuilder::finish_compacted(std::int32_t last_offset_delta,
                                                    std::optional<Timestamp> delete_horizon) {
  if (last_offset_delta < 0 || last_offset_delta < last_delta_) {
    return Error(Errc::invalid_argument,
                 fmt::format("finishing a compacted batch with last offset delta {}: it must be at "
                             "least {}; pass the one of the batch that is rewritten",
                             last_offset_delta, std::max(last_delta_, 0)));
  }
  if (delete_horizon) MILLRACE_CHECK(rebase(delete_horizon->milliseconds()));
  return seal(last_offset_delta, delete_horizon.has_value());
}

Result<void> BatchBuilder::rebase(std::int64_t base_timestamp) {
  const std::int64_t shift = wrapping_difference(base_timestamp, base_timestamp_);
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
  int attributes = static_cast<int>(options_.codec);
  if (options_.transactional) attributes |= attribute_transactional;
  if (options_.control) attributes |= attribute_control;
  if (horizon) attributes |= attribute_delete_horizon;

  room(0);
  MutableBytes batch(buffer_.get(), used_);
  if (options_.codec != Codec::none) {
    compressed_.resize(layout::header_bytes);
    const Bytes records = batch.subspan(layout::header_bytes);
    MILLRACE_CHECK(compress(options_.codec, options_.level, records, compressed_));
    if (compressed_.size() > largest_batch) return too_large(compressed_.size(), 0);
    batch = compressed_;
  }
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

std::size_t encode_single(std::byte* to, Timestamp timestamp, std::optional<Bytes> key,
                          std::optional<Bytes> value, std::span<const HeaderView> headers,
                          Offset base_offset, LeaderEpoch epoch) noexcept {
  const RecordFields record{0, timestamp.milliseconds(), key, value};
  const std::byte* const end =
      write_record(to + layout::header_bytes, record, record.timestamp, headers);
  const auto bytes = static_cast<std::size_t>(end - to);
  write_header(to, bytes, {0, 0, record.timestamp, record.timestamp, {}, 1});
  stamp_batch({to, bytes}, base_offset, epoch);
  write_crc(to, bytes);
  return bytes;
}

std::size_t single_record_bound(std::optional<Bytes> key, std::optional<Bytes> value,
                                std::span<const HeaderView> headers) noexcept {
  return layout::header_bytes + BatchBuilder::record_bound(key, value, headers);
}

}  // namespace millrace::inline v0::record
