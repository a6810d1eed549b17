#pragma once
#include <algorithm>
#include <memory>
#include <millrace/core/result.hpp>
#include <millrace/record/batch_header.hpp>
#include <millrace/record/record_encoding.hpp>
#include <millrace/record/record_view.hpp>
#include <span>
#include <vector>

namespace millrace::inline v0::record {

struct BatchOptions {
  Codec codec = Codec::none;
  int level = -1;  ///< the codec's own level; -1 is its default
  bool transactional = false;
  bool control = false;
  ProducerIdentity producer = {};
};

/// Writes records into a growing buffer in wire form, one batch at a time; reset() keeps the
/// memory. Not thread-safe.
class BatchBuilder {
 public:
  explicit BatchBuilder(BatchOptions options = {});
  /// Moving leaves an empty builder behind, with the same options.
  BatchBuilder(BatchBuilder&& other) noexcept;
  BatchBuilder& operator=(BatchBuilder&& other) noexcept;
  /// Empties it for a next batch.
  void reset(const BatchOptions& options);
  void reset() noexcept;

  /// Adds a record; null (nullopt) key and value are allowed. invalid_record, with the batch as it
  /// was, if it would pass 2^31 - 1 bytes or records.
  Result<void> add(Timestamp timestamp, std::optional<Bytes> key, std::optional<Bytes> value,
                   std::span<const HeaderView> headers = {});
  /// Adds a record with an explicit offset delta, for rewriting a compacted batch: deltas go up,
  /// invalid_argument otherwise. `headers` are copied as they stand.
  Result<void> add_at(std::int32_t offset_delta, Timestamp timestamp, std::optional<Bytes> key,
                      std::optional<Bytes> value, const HeaderList& headers);

  std::int32_t record_count() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }
  /// Bytes so far, header included, before compression.
  std::size_t size_bytes() const noexcept { return used_; }
  /// An upper bound of what adding this record would take.
  static std::size_t record_bound(std::optional<Bytes> key, std::optional<Bytes> value,
                                  std::span<const HeaderView> headers) noexcept;

  /// Completes header, compression and CRC. Base offset is 0 and leader epoch -1 until the log sets
  /// them. The bytes are the builder's and valid until its next change; they may be overwritten
  /// outside the CRC (stamp_batch) by who appends them. invalid_record if there is no record,
  /// unsupported if the codec is not built in.
  Result<MutableBytes> finish();
  /// The same, keeping an offset range that is wider than the records (compaction; there may be
  /// none), and optionally the delete horizon, which then is the batch's base timestamp. Without
  /// records the largest timestamp is `time_if_empty`: a producer's age is told by it.
  /// invalid_argument if a record lies beyond `last_offset_delta`.
  Result<MutableBytes> finish_compacted(std::int32_t last_offset_delta,
                                        std::optional<Timestamp> delete_horizon,
                                        Timestamp time_if_empty = Timestamp::none());

 private:
  template <typename HeaderSource>
  Result<void> append(const detail::RecordFields& record, const HeaderSource& headers);
  Result<void> add_slowly(const detail::RecordFields& record, std::span<const HeaderView> headers);
  void take(const std::byte* end, const detail::RecordFields& record) noexcept;
  std::byte* room(std::size_t bytes);
  Result<void> rebase(std::int64_t base_timestamp);
  Result<MutableBytes> seal(std::int32_t last_offset_delta, bool horizon);

  BatchOptions options_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t used_ = layout::header_bytes;
  std::int32_t count_ = 0;
  std::int32_t last_delta_ = -1;
  std::int64_t base_timestamp_ = -1;
  std::int64_t max_timestamp_ = -1;
  std::vector<std::byte> compressed_;
};

inline void BatchBuilder::take(const std::byte* end, const detail::RecordFields& record) noexcept {
  used_ = static_cast<std::size_t>(end - buffer_.get());
  ++count_;
  last_delta_ = record.offset_delta;
  max_timestamp_ = std::max(max_timestamp_, record.timestamp);
}

inline Result<void> BatchBuilder::add(Timestamp timestamp, std::optional<Bytes> key,
                                      std::optional<Bytes> value,
                                      std::span<const HeaderView> headers) {
  const detail::RecordFields record{
      static_cast<std::int32_t>(static_cast<std::uint32_t>(last_delta_) + 1u),
      timestamp.milliseconds(), key, value};
  const std::size_t bound =
      detail::record_overhead_bound + detail::size_of(key) + detail::size_of(value);
  // An empty builder may have no room at all yet: count_ comes first.
  if (count_ == 0 || bound > capacity_ - used_ || record.offset_delta < 0 || !headers.empty())
      [[unlikely]]
    return add_slowly(record, headers);
  std::byte* const start = buffer_.get() + used_;
  take(detail::write_record(start, record, base_timestamp_, detail::NoHeaders{}), record);
  return {};
}

/// Sets the two fields that stand outside the CRC; `batch` holds one whole batch.
void stamp_batch(MutableBytes batch, Offset base_offset, LeaderEpoch epoch) noexcept;

/// Makes every record's time `time` (LogAppendTime): sets the attribute, the largest timestamp and
/// a new CRC.
void stamp_append_time(MutableBytes batch, Timestamp time) noexcept;

/// Writes an uncompressed batch of one record at `to`, finished in one pass: the fast path of a
/// single append. Returns its size. `to` must have room for single_record_bound(...) bytes, and the
/// batch must stay below 2^31 bytes.
std::size_t encode_single(std::byte* to, Timestamp timestamp, std::optional<Bytes> key,
                          std::optional<Bytes> value, std::span<const HeaderView> headers,
                          Offset base_offset, LeaderEpoch epoch) noexcept;
std::size_t single_record_bound(std::optional<Bytes> key, std::optional<Bytes> value,
                                std::span<const HeaderView> headers) noexcept;

}  // namespace millrace::inline v0::record
