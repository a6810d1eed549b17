#pragma once
#include <limits>
#include <memory>
#include <millrace/storage/index_builder.hpp>
#include <millrace/storage/log_options.hpp>
#include <millrace/storage/segment.hpp>
#include <mutex>

namespace millrace::inline v0::storage {

/// The writer of the one segment that takes appends. Blocks are reserved and zeroed in steps ahead
/// of use, so that storing a batch cannot fail for want of space. append() and seal() are for one
/// thread at a time (the log's lock); prepare() may run beside them on another.
class ActiveSegment {
 public:
  /// Starts an empty segment at `base`; its files are created, the directory is not synced.
  static Result<std::unique_ptr<ActiveSegment>> create(const os::DirectoryPtr& directory,
                                                       Offset base, const LogOptions& options);
  /// Goes on with a recovered segment whose batches end at `end`; everything after is zero.
  /// `largest` is the time index state of its batches.
  static Result<std::unique_ptr<ActiveSegment>> resume(SegmentPtr segment, std::uint64_t end,
                                                       TimeEntry largest,
                                                       const LogOptions& options);

  /// Takes over what may change while a segment is written: limits, intervals, ages.
  void set_options(const LogOptions& options);

  const SegmentPtr& segment() const noexcept { return segment_; }
  std::uint64_t end() const noexcept { return segment_->end(); }
  Result<os::FileIdentity> identity() const { return file_.identity(); }

  /// Whether a batch must go to a next segment (Kafka's rules: size, age, index, offset range).
  /// An empty segment takes any batch whose offsets it can express.
  bool must_roll(std::size_t batch_bytes, Offset last_offset, Timestamp time) const noexcept {
    if (last_offset - base_ > std::numeric_limits<std::int32_t>::max()) return true;
    const std::uint64_t used = end();
    if (used == 0) return false;
    return used + batch_bytes > options_.segment_bytes || indexes_full_ ||
           (first_time_ != Timestamp::none() && time - first_time_ > options_.segment_ms);
  }
  /// Makes sure that `bytes` more can be stored. no_space leaves everything as it was.
  Result<void> make_room(std::size_t bytes) {
    if (end() + bytes <= reserved_.load(std::memory_order_acquire)) [[likely]]
      return {};
    return make_more_room(bytes);
  }
  bool writes_in_place() const noexcept { return options_.write_path == WritePath::mapped; }
  /// Where the next batch goes, for encoding in place: if writes_in_place(), after make_room().
  std::byte* tail() const noexcept { return map_ + end(); }
  /// Stores a batch (not yet visible): room must have been made. With `in_place` it is at tail().
  Result<void> store(Bytes batch, bool in_place);
  /// Zeroes what a store() that failed may have written of `bytes`: a part of a batch must not
  /// stand where the next one may be shorter.
  Result<void> take_back(std::size_t bytes);
  /// Counts the stored batch in: indexes, end.
  void commit(const record::BatchView& batch) noexcept {
    const std::uint64_t position = end();
    if (position == 0) first_time_ = batch.max_timestamp();
    if (policy_.add(batch)) index(batch, position);
    segment_->end_.store(position + batch.size(), std::memory_order_release);
  }

  /// Whether less is reserved ahead than prepare() would like.
  bool wants_room() const noexcept {
    return !sealed_ && reserved_.load(std::memory_order_relaxed) < options_.segment_bytes &&
           end() + step_ / 2 > reserved_.load(std::memory_order_relaxed);
  }
  /// Reserves, zeroes and faults in the next step; called ahead of need by a helper.
  Result<void> prepare();

  /// Makes [from, to) durable.
  Result<void> sync(std::uint64_t from, std::uint64_t to);
  /// Writes the last time-index entry and gives unused blocks back, as far as the disk lets it. No
  /// appends after it.
  void seal();
  /// Finishes what seal() could not, and makes the sealed segment's files durable.
  Result<void> sync_sealed();
  /// Ends its work without completing it: its files are about to go.
  void retire();
  /// Cuts everything from `position` on: zeroes it, fixes the indexes, makes that durable.
  Result<void> truncate(std::uint64_t position, Offset next_offset, TimeEntry largest);

 private:
  ActiveSegment(SegmentPtr segment, const LogOptions& options);
  Result<void> open(std::uint64_t end);
  Result<void> make_more_room(std::size_t bytes);
  void index(const record::BatchView& batch, std::uint64_t position) noexcept;
  void note_index_sizes() noexcept;
  Result<void> grow(std::uint64_t bytes);
  Result<void> reserve(std::uint64_t from, std::uint64_t until);
  Result<void> trim(bool sync);

  LogOptions options_;
  SegmentPtr segment_;
  Offset base_;
  os::File file_;
  std::byte* map_ = nullptr;
  IndexPolicy policy_;
  Timestamp first_time_ = Timestamp::none();
  bool indexes_full_ = false;
  std::atomic<bool> sealed_{false};
  bool times_complete_ = false;  // the time index has its last entry
  std::uint64_t shown_end_ = 0;  // what a truncation has cut was published up to here
  std::mutex grow_mutex_;
  std::atomic<std::uint64_t> reserved_{0};
  std::atomic<std::uint64_t> step_;  // bytes the next grow() adds
};

/// The smallest step in which blocks are reserved; it doubles up to max_reserve_step.
inline constexpr std::uint64_t min_reserve_step = 64u << 10;
inline constexpr std::uint64_t max_reserve_step = 16u << 20;

}  // namespace millrace::inline v0::storage
