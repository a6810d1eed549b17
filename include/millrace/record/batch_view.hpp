#pragma once
#include <millrace/core/result.hpp>
#include <millrace/core/varint.hpp>
#include <millrace/record/batch_header.hpp>
#include <millrace/record/record_view.hpp>
#include <vector>

namespace millrace::inline v0::record {

/// A record batch v2 where it stands, in a map or a buffer. Two pointers; copies are free; valid as
/// long as the bytes are. Accessors read the header in place.
class BatchView {
 public:
  BatchView() = default;

  /// Looks at the batch at the start of `bytes`: the length is sane and fits, the magic is 2, the
  /// counts are sane. Does not check the CRC. corrupt_data otherwise; all-zero bytes always are.
  static Result<BatchView> parse(Bytes bytes);
  /// The same without making an Error, for scans that treat any failure as the end: an empty view
  /// (`size() == 0`) on failure.
  static BatchView try_parse(Bytes bytes) noexcept;
  /// A batch that this process has just built in `bytes`: nothing is checked.
  static BatchView trusted(Bytes bytes) noexcept { return {bytes.data(), bytes.size()}; }

  std::size_t size() const noexcept { return size_; }
  Bytes bytes() const noexcept { return {data_, size_}; }
  const std::byte* data() const noexcept { return data_; }

  Offset base_offset() const noexcept { return Offset{get<std::int64_t>(layout::base_offset)}; }
  /// Offset of the last record; in a compacted batch, of the last one there once was.
  Offset last_offset() const noexcept { return base_offset() + last_offset_delta(); }
  Offset next_offset() const noexcept { return last_offset() + 1; }
  std::int32_t last_offset_delta() const noexcept {
    return get<std::int32_t>(layout::last_offset_delta);
  }
  LeaderEpoch leader_epoch() const noexcept {
    return LeaderEpoch{get<std::int32_t>(layout::leader_epoch)};
  }
  std::uint32_t stored_crc() const noexcept { return get<std::uint32_t>(layout::crc); }
  std::int16_t attributes() const noexcept { return get<std::int16_t>(layout::attributes); }
  Codec codec() const noexcept { return static_cast<Codec>(attributes() & attribute_codec_mask); }
  TimestampType timestamp_type() const noexcept {
    return (attributes() & attribute_log_append_time) != 0 ? TimestampType::log_append_time
                                                           : TimestampType::create_time;
  }
  bool is_transactional() const noexcept { return (attributes() & attribute_transactional) != 0; }
  bool is_control() const noexcept { return (attributes() & attribute_control) != 0; }
  /// The time from which tombstones of this batch may go (KIP-534), set by compaction.
  std::optional<Timestamp> delete_horizon() const noexcept;
  Timestamp base_timestamp() const noexcept {
    return Timestamp{get<std::int64_t>(layout::base_timestamp)};
  }
  Timestamp max_timestamp() const noexcept {
    return Timestamp{get<std::int64_t>(layout::max_timestamp)};
  }
  ProducerIdentity producer() const noexcept {
    return {get<std::int64_t>(layout::producer_id), get<std::int16_t>(layout::producer_epoch),
            get<std::int32_t>(layout::base_sequence)};
  }
  std::int32_t record_count() const noexcept { return get<std::int32_t>(layout::record_count); }

  /// Whether the CRC-32C over everything from the attributes on is the stored one.
  bool crc_matches() const noexcept;
  /// The record section, as stored (compressed if codec() says so).
  Bytes payload() const noexcept { return bytes().subspan(layout::header_bytes); }

 private:
  BatchView(const std::byte* data, std::size_t size) : data_(data), size_(size) {}
  template <typename T>
  T get(std::size_t at) const noexcept {
    return load_big<T>(data_ + at);
  }
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Walks the records of one batch. Uncompressed batches are read in place; compressed ones are
/// decompressed into `scratch`, which then owns what the records point to and must outlive them.
/// Never reads outside the batch, whatever its bytes are.
class RecordCursor {
 public:
  enum class Step : std::uint8_t { record, end, malformed };

  RecordCursor() = default;
  /// corrupt_data if the payload does not decompress, or to more than `limit_bytes`; unsupported if
  /// this build lacks the codec.
  static Result<RecordCursor> open(BatchView batch, std::vector<std::byte>& scratch,
                                   std::size_t limit_bytes = 1u << 30);

  /// Moves to the next record. `malformed` says the bytes break the format (a length that does not
  /// fit, offsets that do not rise or leave the batch's range, bytes left over); it is final.
  Step next(RecordView& out) noexcept;
  /// The quick part of next(), for loops that keep their cursor in registers: takes the next record
  /// if it is one of the usual kind. False says to call next(); then `out` has any value.
  bool next_plain(RecordView& out) noexcept;
  /// Where the next record stands.
  const std::byte* data() const noexcept { return at_; }
  /// Moves past all records below `offset` without decoding them fully, then to the next record.
  Step skip_to(Offset offset, RecordView& out) noexcept;

 private:
  Step fail() noexcept;
  Step next_checked(RecordView& out) noexcept;
  void skip_quickly(Offset offset) noexcept;
  bool skip_one(Offset offset) noexcept;
  Timestamp time_of(std::int64_t delta) const noexcept {
    // Unsigned, because damaged bytes may make the sum overflow.
    return Timestamp{append_time_set_
                         ? append_time_
                         : static_cast<std::int64_t>(static_cast<std::uint64_t>(base_timestamp_) +
                                                     static_cast<std::uint64_t>(delta))};
  }

  const std::byte* at_ = nullptr;
  const std::byte* end_ = nullptr;
  Offset base_offset_;
  std::int64_t base_timestamp_ = 0;
  std::int64_t append_time_ = -1;  // every record's time with LogAppendTime
  bool append_time_set_ = false;
  std::int32_t left_ = 0;         // records to come by the header's count; -1 once malformed
  std::int64_t next_delta_ = 0;   // the smallest offset delta that may follow
  std::int64_t last_delta_ = -1;  // the largest
};

namespace detail {

/// So many bytes hold the fixed fields of any record that the quick path of a cursor takes, up to
/// and with the first two bytes of the key's length.
inline constexpr std::ptrdiff_t quick_bytes = 16;

/// Reads a varint of one or two bytes at `at`, where two bytes must be readable; returns one past
/// it, nullptr if it is longer.
inline const std::byte* quick_varint(const std::byte* at, std::uint32_t& value) noexcept {
  const auto low = std::to_integer<std::uint32_t>(at[0]);
  if (low < 0x80) {
    value = low;
    return at + 1;
  }
  const auto high = std::to_integer<std::uint32_t>(at[1]);
  value = (low & 0x7f) | (high << 7);
  return high < 0x80 ? at + 2 : nullptr;
}

/// Reads a key or value and its length; false unless it is plain and leaves a byte before `end`.
inline bool quick_field(const std::byte*& at, const std::byte* end,
                        std::optional<Bytes>& out) noexcept {
  if (*at == std::byte{1}) {
    out.reset();
    return ++at < end;
  }
  std::uint32_t raw = 0;
  const std::byte* const start = quick_varint(at, raw);
  if (start == nullptr || (raw & 1) != 0 || end - start <= static_cast<std::ptrdiff_t>(raw >> 1))
      [[unlikely]]
    return false;
  out.emplace(start, raw >> 1);
  at = start + (raw >> 1);
  return true;
}

}  // namespace detail

[[gnu::always_inline]] inline bool RecordCursor::next_plain(RecordView& out) noexcept {
  // The quick path takes records with short lengths and without headers, as far from the end as it
  // needs to do without looking; next_checked() is for everything else, and for all that is odd.
  if (left_ <= 0 || end_ - at_ < detail::quick_bytes) [[unlikely]]
    return false;
  std::uint32_t length = 0, time = 0, offset = 0;
  const std::byte* at = detail::quick_varint(at_, length);
  if (at == nullptr || (length & 1) != 0 || static_cast<std::ptrdiff_t>(length >> 1) > end_ - at)
      [[unlikely]]
    return false;
  const std::byte* const end = at + (length >> 1);
  at = detail::quick_varint(at + 1, time);
  if (at == nullptr) [[unlikely]]
    return false;
  at = detail::quick_varint(at, offset);
  const std::int64_t delta = offset >> 1;
  if (at == nullptr || (offset & 1) != 0 || delta < next_delta_ || delta > last_delta_ ||
      end - at < 3) [[unlikely]]
    return false;
  if (!detail::quick_field(at, end, out.key) || end - at < 2 ||
      !detail::quick_field(at, end, out.value) || end - at != 1 || *at != std::byte{0}) [[unlikely]]
    return false;
  out.offset = base_offset_ + delta;
  out.timestamp = time_of(unzigzag(time));
  out.headers = HeaderList({end, end}, 0);
  at_ = end;
  --left_;
  next_delta_ = delta + 1;
  return true;
}

inline RecordCursor::Step RecordCursor::next(RecordView& out) noexcept {
  return next_plain(out) ? Step::record : next_checked(out);
}

}  // namespace millrace::inline v0::record
