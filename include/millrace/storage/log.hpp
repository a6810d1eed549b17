#pragma once
#include <algorithm>
#include <memory>
#include <millrace/core/clock.hpp>
#include <millrace/record/batch_builder.hpp>
#include <millrace/storage/active_segment.hpp>
#include <millrace/storage/epoch_cache.hpp>
#include <millrace/storage/log_cursor.hpp>
#include <millrace/storage/log_producers.hpp>
#include <millrace/storage/recovery.hpp>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace millrace::inline v0::storage {

/// Where a batch went.
struct Appended {
  Offset base_offset{};
  Offset next_offset{};
  Timestamp append_time = Timestamp::none();  ///< set with LogAppendTime
  bool rolled = false;                        ///< a segment was sealed; it wants flush_sealed()
  bool wants_room = false;                    ///< prepare() should be called soon
  bool wants_snapshot = false;                ///< so should snapshot_producers()
  bool is_duplicate = false;  ///< its producer had sent it before: this is where it went then
};

/// A partition's log: an active segment, sealed ones before it, and the offsets that are published
/// in the control file. This class only sequences; what it puts together is in recovery.hpp,
/// active_segment.hpp, retention.hpp and cleaner.hpp.
///
/// Thread-safe. Appends take one short lock. flush() syncs outside it. Reads go through LogCursor.
///
/// After a failed sync the log refuses appends and flushes with log_failed until it is opened
/// again: the page cache may no longer be what is on the disk (fsync(2), "Errors"). So does it
/// after a write that could neither be finished nor taken back. What is visible stays readable.
class Log final : public SegmentSource {
 public:
  struct Context {
    const Clock* clock = &system_clock();
    RecoveryHints hints = {};
  };

  /// Opens or creates the log in `directory` and recovers it. The caller owns the directory (see
  /// the broker's lock): two logs on one directory destroy it.
  static Result<std::unique_ptr<Log>> open(os::DirectoryPtr directory, const LogOptions& options,
                                           const Context& context);
  ~Log() override;

  const RecoveryReport& recovery() const noexcept { return report_; }
  const os::DirectoryPtr& directory() const noexcept { return directory_; }
  /// The options now; a copy, for they may change.
  LogOptions options() const;
  /// Takes effect from the next append, roll or cleaning on.
  void set_options(const LogOptions& options);

  /// Appends one finished batch: sets its offsets and leader epoch (in the caller's bytes), and
  /// with LogAppendTime its time. One with a producer id is checked first; a duplicate is not
  /// appended again. Errors: invalid_record (a record without a key if they are required, or a
  /// producer's fields that make no sense), out_of_order_sequence, invalid_producer_epoch,
  /// invalid_transaction_state, transaction_coordinator_fenced, record_too_large, no_space,
  /// io_error, log_failed, closed; in all of them the log is as it was.
  Result<Appended> append(MutableBytes batch, LeaderEpoch epoch = LeaderEpoch{0},
                          AppendOrigin origin = AppendOrigin::producer);
  /// Appends one record as a batch of its own, encoding it straight into the map where it can.
  Result<Appended> append_record(Timestamp time, std::optional<Bytes> key,
                                 std::optional<Bytes> value,
                                 std::span<const record::HeaderView> headers = {},
                                 LeaderEpoch epoch = LeaderEpoch{0});
  /// Appends batches that have their offsets, as a replica does: the first must start at
  /// log_end_offset() or, after compaction at the leader, above it. What they say of producers is
  /// taken over unchecked.
  Result<Appended> append_as_given(Bytes batches);

  /// Makes everything appended before the call durable; returns the new flushed_offset().
  Result<Offset> flush();
  /// Makes sealed segments durable, not the active one: what a roll leaves to do in the background.
  Result<void> flush_sealed();
  /// Reserves and zeroes blocks ahead of the appender.
  Result<void> prepare();
  /// Saves what is known of producers, so that opening the log need not read their batches.
  Result<void> snapshot_producers();
  /// Forgets producers that have not written for producer_expiration; returns how many.
  std::size_t expire_producers();
  /// The largest id of a producer that is not forgotten; -1 without any.
  std::int64_t largest_producer_id() const;
  /// All producers that are not forgotten, by id.
  std::vector<ProducerSummary> producers() const;
  /// The producers that have a transaction open here.
  std::vector<ProducerSummary> open_transactions() const;
  /// Starts a new segment if the active one has any batch.
  Result<void> roll();

  /// Cuts the log so that it ends at or before `offset` (at the start of the batch that has it).
  Result<void> truncate_to(Offset offset);
  /// Makes everything below `offset` unreadable and frees whole segments (DeleteRecords).
  Result<void> delete_before(Offset offset);
  /// With delayed delivery retention removes nothing from `offset` on, and nothing at all before
  /// this is called. Explicit removal does.
  void keep_from(Offset offset) noexcept { kept_from_.store(offset.value()); }
  /// Removes segments that retention lets go; returns how many.
  Result<std::size_t> apply_retention();
  /// Removes files whose file.delete.delay has passed.
  Result<void> remove_deleted();
  /// One pass of compaction, if enough is dirty (or `force`); returns bytes freed.
  Result<std::uint64_t> compact(bool force = false);

  /// Seals what is known, syncs, marks the directory clean. The log takes no more calls.
  Result<void> close();

  Offset log_start_offset() const noexcept { return get(control().log_start_offset); }
  Offset log_end_offset() const noexcept { return get(control().log_end_offset); }
  Offset high_watermark() const noexcept { return get(control().high_watermark); }
  /// Readers of committed records see offsets below.
  Offset last_stable_offset() const noexcept {
    // In this order: a transaction that the high watermark lets through is known by then.
    const Offset readable = high_watermark();
    return std::min(readable, get(control().first_unstable_offset));
  }
  Offset flushed_offset() const noexcept { return get(control().flushed_offset); }
  std::uint64_t size_bytes() const;
  bool has_failed() const noexcept { return failed_.load(std::memory_order_relaxed); }
  /// Whether records must have keys: compaction would drop those that have none.
  bool requires_keys() const noexcept { return requires_keys_.load(std::memory_order_relaxed); }
  static Error key_missing();

  const ControlBlock& control() const noexcept override { return control_.block(); }
  ControlBlock& mutable_control() noexcept { return control_.block(); }
  Result<SegmentListPtr> segments() override;
  const EpochCache& epochs() const noexcept { return epochs_; }

 private:
  Log(os::DirectoryPtr directory, const LogOptions& options, const Context& context);
  static Offset get(const std::atomic<std::int64_t>& a) noexcept {
    return Offset{a.load(std::memory_order_acquire)};
  }

  /// What a flush has to make durable besides the active segment.
  struct Unsynced {
    std::vector<std::shared_ptr<ActiveSegment>> sealed;
    std::vector<SegmentPtr> recovered;
    std::optional<EpochCache> epochs;
    bool directory = false;
  };

  Result<void> recover_epochs(const RecoveredLog& recovered);
  Result<void> start(RecoveredLog recovered);
  void leave_clean();
  void publish_epoch();
  Result<void> check_usable() const {
    if (!closed_ && !failed_.load(std::memory_order_relaxed)) [[likely]]
      return {};
    return why_unusable();
  }
  Error why_unusable() const;
  Result<void> make_space_for(std::size_t bytes, OffsetRange offsets, Timestamp time, bool& rolled);
  Result<void> check_size(std::size_t bytes) const;
  Result<std::optional<Appended>> find_duplicate(const record::BatchView& batch,
                                                 AppendOrigin origin);
  Result<void> announce(const record::BatchView& batch);
  Result<void> store(Bytes batch, bool in_place);
  Appended publish(const record::BatchView& batch, bool rolled);
  void note_epoch(LeaderEpoch epoch, Offset start);
  Result<void> append_as_given_locked(const record::BatchView& batch, Appended& done);
  Result<void> roll_locked(Offset base);
  Result<void> resume_locked();
  Unsynced take_unsynced();
  Result<void> save_epochs();
  Result<void> sync_unsynced(const Unsynced& unsynced);
  /// With the flush lock held.
  Result<Offset> flush_alone();
  Result<void> seal_log();
  void forget_synced(std::size_t sealed);
  void publish_flushed(Offset end);
  Segment::Limits limits() const noexcept {
    return {options_.segment_bytes, options_.segment_index_bytes};
  }
  void replace_list(std::vector<SegmentPtr> segments);
  Result<void> fail(Error error);
  Result<void> fail_locked(Error error);
  Result<void> announce_start(Offset start);
  Result<void> cut(std::vector<SegmentPtr> segments, std::size_t keep, Offset new_end);
  Result<std::size_t> drop_old_segments(const LogOptions& rules);
  Result<std::size_t> drop_segments(std::size_t count, Offset new_start);
  Result<void> remove_files(Offset base);
  Result<void> exchange(const std::vector<SegmentPtr>& group, Offset end);
  Result<void> remove_segments_after(std::vector<SegmentPtr>& segments, std::size_t keep);
  void publish_active();

  os::DirectoryPtr directory_;
  const Clock* clock_;
  RecoveryReport report_;
  ControlFile control_;
  EpochCache epochs_;

  mutable std::mutex mutex_;  // appends, rolls and whatever changes the set of segments
  LogOptions options_;
  std::shared_ptr<ActiveSegment> active_;  // null until the first append
  TimeEntry recovered_largest_{Timestamp::none(), Offset{}};
  std::vector<std::shared_ptr<ActiveSegment>> unsynced_;  // sealed, oldest first
  std::vector<SegmentPtr> recovered_unsynced_;            // of a run that was killed
  std::uint64_t flushed_position_ = 0;                    // in the active segment
  std::optional<Offset> unused_;  // the base of a segment that could not be made
  bool directory_dirty_ = false;
  bool epochs_dirty_ = false;
  bool closed_ = false;
  std::vector<std::byte> encode_buffer_;
  LogProducers producers_;

  std::mutex flush_mutex_;  // one flush at a time; taken before mutex_
  std::mutex clean_mutex_;  // retention, compaction, truncation; taken before flush_mutex_
  mutable std::mutex list_mutex_;
  SegmentListPtr list_;
  std::atomic<bool> failed_{false};
  std::atomic<bool> requires_keys_;
  std::atomic<std::int64_t> kept_from_{0};
  std::optional<Error> failure_;

  struct Deleted {
    Timestamp due;
    std::string name;
  };
  std::vector<Deleted> deleted_;
};

}  // namespace millrace::inline v0::storage
