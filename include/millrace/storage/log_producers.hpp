#pragma once
#include <millrace/os/directory.hpp>
#include <millrace/storage/producer_state.hpp>
#include <millrace/storage/recovery.hpp>
#include <millrace/storage/segment.hpp>
#include <optional>
#include <set>
#include <vector>

namespace millrace::inline v0::storage {

/// The producers of one log: their state, its snapshots, the transaction indexes of the segments,
/// and what of it the control block tells. All of it is derived from the batches. The log calls it
/// under its lock, so it must not be called by two threads at a time.
///
/// A snapshot is written when a segment is rolled, when the log is closed and after each
/// `snapshot_bytes` of batches with producer ids; never synced, for one that a crash tears does not
/// pass its checksum. Kept are the newest one and, for each segment, the newest one at or below its
/// base, from which a truncation starts again.
class LogProducers {
 public:
  static constexpr std::uint64_t snapshot_bytes = 16u << 20;

  explicit LogProducers(os::DirectoryPtr directory) : directory_(std::move(directory)) {}

  /// Finds the producers of a log that ends at `end`: from the newest snapshot that is whole, and
  /// the batches behind it that may have producer ids. Removes snapshots that are damaged or beyond
  /// the end, for good, and puts transaction indexes in order.
  Result<void> recover(const std::vector<SegmentPtr>& segments, const KnownProducers& known,
                       Offset end);
  /// Whether a control block says what publish() would make it say.
  bool agrees_with(const ControlBlock& block) const noexcept;
  /// Tells it to the control block, from here on with every change.
  void publish(ControlBlock& block) noexcept;

  Result<std::optional<DuplicateBatch>> check(const record::BatchView& batch, AppendOrigin origin) {
    return state_.check(batch, origin);
  }
  /// Before a control batch with a producer id, offsets set, is stored in the segment with `base`:
  /// notes the transaction that it aborts. Whoever then cannot store it calls take_back().
  Result<void> announce(const record::BatchView& batch, Offset base);
  Result<void> take_back();
  /// A batch with a producer id was stored; before the log's new end is published.
  void apply(const record::BatchView& batch);
  /// After the high watermark was raised, or the log's start.
  void show(Offset high_watermark);
  /// Whether so much was appended since the last snapshot that one should be written.
  bool wants_snapshot() const noexcept { return unsaved_bytes_ >= snapshot_bytes; }

  /// A snapshot on its way.
  struct Snapshot {
    Offset end;
    std::vector<std::byte> content;
  };
  /// Takes down the state at the log's end for a snapshot; nothing if none is due. The caller
  /// writes it without the log's lock, with truncations kept away, and calls finish_snapshot().
  std::optional<Snapshot> begin_snapshot(Offset end);
  Result<void> finish_snapshot(const Snapshot& snapshot, Result<void> written,
                               const std::vector<SegmentPtr>& segments);
  /// Writes one at once if there is anything new. Without space or on an error there is none: then
  /// more is read when the log is opened.
  void take_snapshot(Offset end, const std::vector<SegmentPtr>& segments);

  /// Before a truncation to `end` becomes durable: removes the snapshots beyond.
  Result<void> begin_truncation(Offset end);
  /// After it, with the segments that are left.
  Result<void> truncate(const std::vector<SegmentPtr>& segments, Offset end);

  std::size_t expire(Timestamp now, std::chrono::milliseconds expiration) {
    return state_.expire(now, expiration);
  }
  const ProducerState& state() const noexcept { return state_; }

 private:
  using Transactions = std::vector<AbortedTransaction>;
  struct Replay {
    Offset from;                         // where reading begins
    std::optional<Offset> indexes_from;  // the segment from which on indexes are made again
  };
  Result<std::set<Offset>> list_files(Offset end);
  Result<std::optional<Offset>> restore(Offset limit);
  Result<void> check_index(Offset base, Offset end, KnownProducers& known);
  Result<void> reload(const std::vector<SegmentPtr>& segments, const KnownProducers& known,
                      Offset end);
  Result<void> read_batches(const std::vector<SegmentPtr>& segments, const Replay& replay,
                            Offset end);
  void count(const record::BatchView& batch);
  void saved(Offset end, std::optional<Offset> first_unsaved);
  void publish_unstable() noexcept;
  void prune(const std::vector<SegmentPtr>& segments);
  std::int64_t first_unsaved_value() const noexcept {
    return first_unsaved_ ? first_unsaved_->value() : ControlBlock::all_saved;
  }
  Offset newest_snapshot() const noexcept {
    return snapshots_.empty() ? Offset{-1} : *snapshots_.rbegin();
  }

  os::DirectoryPtr directory_;
  ControlBlock* block_ = nullptr;
  ProducerState state_;
  std::set<Offset> snapshots_;           // that are there
  std::optional<Offset> first_unsaved_;  // the first batch that is not in the newest one
  std::uint64_t unsaved_bytes_ = 0;
  bool is_writing_ = false;                    // begin_snapshot() was called, finish is to come
  std::optional<Offset> first_since_writing_;  // as first_unsaved_, for the one on its way
  std::optional<Offset> announced_in_;         // the segment whose index has an entry to come true
};

}  // namespace millrace::inline v0::storage
