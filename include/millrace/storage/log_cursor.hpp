#pragma once
#include <millrace/storage/segment_source.hpp>

namespace millrace::inline v0::storage {

/// Whole batches next to each other in one segment, straight from the map. Valid as long as `pin`
/// is held. The first batch may start below the offset that was asked for.
struct Chunk {
  SegmentPtr pin;
  Bytes bytes;
  Offset begin;                    ///< where reading was to start
  Offset end;                      ///< where it goes on
  std::uint64_t bytes_behind = 0;  ///< of the segment that can be read behind `bytes`
  bool empty() const noexcept { return bytes.empty(); }
};

struct ReadOptions {
  std::size_t max_bytes = 1u << 20;  ///< the first batch is returned whole, however large
  bool check_crc = true;
};

/// Reads a log in order from any offset, without locks while it stays in one segment. One cursor is
/// for one thread; any number of them may read beside the writer. Between reads a cursor holds the
/// one segment it stands in, and no other.
class LogCursor {
 public:
  /// `source` must outlive the cursor.
  LogCursor(SegmentSource& source, Offset position) : source_(&source), offset_(position) {}

  Offset position() const noexcept { return offset_; }
  /// Goes to another offset; checked by the next read.
  void seek(Offset offset) noexcept;

  /// The batches from position() on, below `limit`; moves behind them. Empty if position() is at
  /// the limit. offset_out_of_range if it is below the log's start, also when retention has moved
  /// that meanwhile, or above the limit; corrupt_data with the offsets that cannot be read, after
  /// which seek(error.offsets().end) goes on.
  Result<Chunk> read(Offset limit, const ReadOptions& options);

 private:
  Result<Chunk> attempt(Offset limit, const ReadOptions& options);
  Result<void> locate();
  Result<void> enter(const SegmentListPtr& list);
  bool is_misplaced(const record::BatchView& batch) const;
  Result<Chunk> collect(Offset limit, const ReadOptions& options, bool& blocked);
  Result<bool> at_segment_end() const;
  Result<bool> only_zeros_left() const;
  Result<bool> step_over_damage(Offset limit);

  SegmentSource* source_;
  Offset offset_;
  SegmentPtr segment_;            // null: position_ is not known
  Offset next_base_;              // of the segment behind it
  std::uint64_t generation_ = 0;  // of the list they are from
  std::uint64_t position_ = 0;
  Offset expected_;                       // the least base offset of the batch at position_
  std::optional<std::uint64_t> vouched_;  // the position of a batch that a scan found good
};

/// The first record at or after `from` whose time is at or after `time`: its offset and time.
/// Nothing if there is none below `limit`. Follows ListOffsets' rules.
struct OffsetAndTime {
  Offset offset;
  Timestamp timestamp;
};
Result<std::optional<OffsetAndTime>> find_time(SegmentSource& source, Timestamp time, Offset limit);

}  // namespace millrace::inline v0::storage
