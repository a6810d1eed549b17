#pragma once
#include <atomic>
#include <memory>
#include <millrace/os/directory.hpp>
#include <millrace/os/mapping.hpp>
#include <millrace/record/batch_view.hpp>
#include <millrace/storage/control_file.hpp>
#include <millrace/storage/offset_index.hpp>
#include <millrace/storage/time_index.hpp>
#include <mutex>
#include <vector>

namespace millrace::inline v0::storage {

/// What a Segment object may do with its files.
enum class SegmentMode : std::uint8_t {
  sealed,    ///< complete; missing or damaged indexes are rebuilt
  resting,   ///< the last one of a log that nobody appended to yet: as sealed, its end is given
  active,    ///< being written by an ActiveSegment of this process
  attached,  ///< another process's, sealed or growing
};

/// The bytes and indexes of one segment, for readers. Opens its files at first use. Shared: whoever
/// holds a SegmentPtr keeps the map, also after the files were removed. All methods are
/// thread-safe.
class Segment {
 public:
  struct Limits {
    std::uint64_t map_bytes;    ///< how far an active segment may grow
    std::uint64_t index_bytes;  ///< the same for its offset index
  };
  /// `end` is where the batches of a resting segment end; its files may have zeros behind them.
  Segment(os::DirectoryPtr directory, Offset base, SegmentMode mode, Limits limits,
          std::uint64_t end = 0);
  /// Attached: the segment of the process that publishes `owner`.
  Segment(os::DirectoryPtr directory, Offset base, std::shared_ptr<const ControlBlock> owner,
          Limits limits);

  Offset base_offset() const noexcept { return base_; }
  SegmentMode mode() const noexcept { return mode_; }
  const os::DirectoryPtr& directory() const noexcept { return directory_; }

  /// Maps the log and the indexes; cheap when done before.
  Result<void> open();
  bool is_open() const noexcept { return open_.load(std::memory_order_acquire); }

  /// The log's bytes; only after open(). Those in [0, end()) may be touched once check_readable()
  /// said so.
  const std::byte* data() const noexcept { return map_.data(); }
  /// Bytes that may be looked at: of batches; if attached, of those that are known to be published
  /// (see follow()), for what is behind them may be cut off at any time.
  std::uint64_t end() const noexcept { return end_.load(std::memory_order_acquire); }
  /// Attached: takes over how far the owner has come, as long as this is its active segment.
  void follow() noexcept {
    if (!owner_) return;
    const auto is_active = [&] {
      return owner_->active_base_offset.load(std::memory_order_acquire) == base_.value();
    };
    if (!is_active()) return;
    const std::uint64_t end = owner_->active_end.load(std::memory_order_acquire);
    if (end > end_.load(std::memory_order_relaxed) && end <= map_.length() && is_active()) {
      end_.store(end, std::memory_order_release);
    }
  }
  /// Bytes of the log that are mapped: more are not seen through this object.
  std::uint64_t mapped_bytes() const noexcept { return map_.length(); }
  /// Faults in what is touched for the first time, so that a bad sector is an error and not a
  /// SIGBUS; a bit test when done before.
  Result<void> check_readable(std::uint64_t position, std::uint64_t length);
  /// Attached: learns how far the files have grown, where they end now that they are sealed, and
  /// what was truncated.
  Result<void> refresh();

  /// The batch at `position`, or an empty view if there is none that parses.
  record::BatchView batch_at(std::uint64_t position) const noexcept;
  /// Where the batch stands that has `offset` or, in a compacted segment, the first one after it;
  /// end() if all are below.
  Result<FilePosition> find(Offset offset);
  /// The same, and whether a batch stands there whose base offset follows what is before it.
  struct Spot {
    FilePosition position;
    bool in_order = true;
  };
  Result<Spot> find_spot(Offset offset);
  /// The largest record time of the batches that end below `limit` and the last offset of the first
  /// batch that has it; none() and the base offset if there are no such batches. In a sealed
  /// segment of this process `limit` has no effect.
  Result<TimeEntry> largest(Offset limit);
  /// Bytes of batches; of the file if attached and not open. Does not open the segment.
  Result<std::uint64_t> file_bytes() const;

  /// Everything up to the returned offset is older than `time`; the base offset - 1 if nothing is
  /// known to be. Only after open().
  Offset known_older(Timestamp time);

  const OffsetIndex& offset_index() const noexcept { return offsets_; }
  const TimeIndex& time_index() const noexcept { return times_; }
  const Limits& limits() const noexcept { return limits_; }

  /// Makes the files durable, whoever wrote them.
  Result<void> sync_files();

 private:
  /// Whether the log has the batch that an entry of the time index speaks of.
  Result<bool> agrees(const TimeEntry& entry);
  friend class ActiveSegment;
  Result<bool> open_files();
  Result<void> open_indexes();
  Result<void> rebuild_indexes();
  Result<std::uint64_t> published_end(const os::File& file, std::uint64_t size) const;
  std::uint64_t find_indexed(Offset offset);
  void prefetch_way(std::size_t at, std::size_t count, Offset offset) const noexcept;
  /// From here on it is complete: called by its writer.
  void mark_sealed(TimeEntry largest) noexcept {
    largest_ = largest;
    sealed_.store(true, std::memory_order_release);
  }
  void mark_readable(std::uint64_t position, std::uint64_t length) noexcept;
  void forget_readable(std::uint64_t position) noexcept;

  static constexpr std::uint64_t check_chunk_bytes = 2u << 20;

  os::DirectoryPtr directory_;
  Offset base_;
  SegmentMode mode_;
  Limits limits_;
  std::atomic<bool> open_{false};
  std::atomic<bool> sealed_{false};  // by its writer, which then leaves largest_
  TimeEntry largest_{Timestamp::none(), Offset{}};
  std::mutex open_mutex_;
  os::Mapping map_;
  std::shared_ptr<const ControlBlock> owner_;  // if attached
  os::FileIdentity identity_;                  // of the log file, if attached
  std::atomic<std::uint64_t> file_end_{0};     // of the log file, as last seen, if attached
  std::atomic<std::uint64_t> end_{0};
  std::unique_ptr<std::atomic<std::uint64_t>[]> readable_;  // one bit a chunk
  std::atomic<std::uint64_t> readable_tail_{0};  // the end of what was read of a chunk in growth
  bool indexed_ = false;                         // false: lookups walk the log
  OffsetIndex offsets_;
  TimeIndex times_;
};

using SegmentPtr = std::shared_ptr<Segment>;

/// The segments of a log at one moment, by base offset. Immutable.
struct SegmentList {
  std::uint64_t generation = 0;
  std::vector<SegmentPtr> segments;

  /// The last segment whose base is at or below `offset`; the first one if all are above; the index
  /// is segments.size() only for an empty list.
  std::size_t index_of(Offset offset) const noexcept;
};
using SegmentListPtr = std::shared_ptr<const SegmentList>;

}  // namespace millrace::inline v0::storage
