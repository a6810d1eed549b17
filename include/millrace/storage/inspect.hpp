#pragma once
#include <functional>
#include <millrace/os/directory.hpp>
#include <millrace/record/batch_view.hpp>
#include <millrace/storage/control_file.hpp>
#include <millrace/storage/offset_index.hpp>
#include <millrace/storage/producer_state.hpp>
#include <millrace/storage/time_index.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace millrace::inline v0::storage {

// Tools for a partition's directory while nobody owns it: the caller holds the broker's lock, or
// knows that no process has the directory open. They need no Log and work on whatever a crash, a
// full disk or a bad disk left behind.

/// How bad a finding is.
enum class Severity : std::uint8_t {
  note,     ///< normal after a crash; opening the log takes care of it
  problem,  ///< derived or surplus data is wrong; no record is lost
  damage,   ///< records cannot be read
};

/// What a finding is about.
enum class FindingKind : std::uint8_t {
  damaged_batches,    ///< bytes that are no good batch
  missing_offsets,    ///< offsets that are nowhere, without damaged bytes in their place
  malformed_records,  ///< a batch with a good CRC whose records break the format
  torn_tail,          ///< bytes behind the end of the log, never acknowledged as flushed
  untrimmed,          ///< a sealed segment with zeros behind its batches
  overlap,            ///< a segment that begins below the end of the one before it
  offset_index,
  time_index,
  transaction_index,
  producer_snapshot,
  checkpoint,
  control,
  leftover,  ///< a file that an interrupted exchange, or a repair, left behind
};
std::string_view name_of(FindingKind kind) noexcept;

/// Something that is not as in a log that was closed in order.
struct Finding {
  FindingKind kind;
  Severity severity;
  std::string file;
  std::uint64_t position = 0;  ///< of the bytes concerned, if it is about some of the file
  std::uint64_t length = 0;
  OffsetRange offsets = {};  ///< that cannot be read because of it; empty if none
  std::string text;          ///< a sentence: what, where, and what to do about it
};

/// One segment as it was found.
struct SegmentSummary {
  std::string file;  ///< of its log
  Offset base_offset;
  Offset next_offset;       ///< behind its last good batch
  std::uint64_t bytes = 0;  ///< of good batches
  std::uint64_t file_bytes = 0;
  std::uint64_t batches = 0;
  std::uint64_t records = 0;
  std::uint64_t offset_entries = 0;
  std::uint64_t time_entries = 0;
  Timestamp largest_timestamp = Timestamp::none();
};

/// What verify_partition() found.
struct PartitionReport {
  std::vector<SegmentSummary> segments;  ///< by base offset
  std::vector<Finding> findings;         ///< segment by segment, then the other files
  std::optional<ControlState> state;     ///< nothing without a usable control file
  Offset log_start_offset;
  Offset log_end_offset;
  std::uint64_t bytes = 0;
  std::uint64_t batches = 0;
  std::uint64_t records = 0;

  /// The worst severity among the findings; nothing if there are none.
  std::optional<Severity> worst() const noexcept;
  /// The offsets of all findings, sorted and merged.
  std::vector<OffsetRange> unreadable() const;
};

/// Told of each good batch that was read, for a progress display. May be empty.
using InspectionProgress = std::function<void(const record::BatchView&)>;

/// Reads every byte of a partition and checks it: batches, CRCs, records, order, indexes, snapshots
/// of producers, the control file, the checkpoints. Changes nothing. An Error only if the directory
/// cannot be read; whatever is wrong with its content is a finding.
Result<PartitionReport> verify_partition(const os::DirectoryPtr& directory,
                                         const InspectionProgress& progress = {});

/// A batch, or damaged bytes, that dump_partition() came upon. Valid during the call.
struct DumpItem {
  std::string_view file;
  FilePosition position;
  Bytes bytes;
  record::BatchView batch;  ///< empty for damaged bytes
  OffsetRange offsets;      ///< of the batch; of damage, those that stood there
};

/// Calls `visit` for every batch and every damaged range in order, until it returns false.
/// dump_records() walks the records of a batch.
Result<void> dump_partition(const os::DirectoryPtr& directory,
                            const std::function<bool(const DumpItem&)>& visit);

/// Calls `visit` for every record of a batch until it returns false. corrupt_data if the records
/// break the format or do not decompress.
Result<void> dump_records(const record::BatchView& batch,
                          const std::function<bool(const record::RecordView&)>& visit);

/// An entry of an index or a snapshot, as dump_indexes() came upon it. Valid during the call.
struct IndexItem {
  std::string_view file;
  FilePosition position;  ///< of the entry; 0 in a snapshot, which is read as a whole
  /// The Error: the file is a transaction index or a snapshot, and damaged.
  std::variant<OffsetEntry, TimeEntry, AbortedTransaction, ProducerSummary, Error> entry;
};

/// Calls `visit` for every entry of every index in order, segment by segment, and then of every
/// snapshot of producers, until it returns false. Entries are shown as they stand, right or wrong.
Result<void> dump_indexes(const os::DirectoryPtr& directory,
                          const std::function<bool(const IndexItem&)>& visit);

/// How repair_partition() goes about it.
struct RepairOptions {
  bool dry_run = false;         ///< change nothing, but report what would be done
  InspectionProgress progress;  ///< while it verifies, which it does first
};

/// What repair_partition() did, or would do.
struct RepairReport {
  std::vector<std::string> done;        ///< a sentence each
  std::vector<OffsetRange> lost;        ///< offsets that cannot be read any more
  std::vector<std::string> side_files;  ///< with the bytes that were taken out
  std::uint64_t torn_bytes = 0;         ///< cut off behind the end of the log
};

/// Puts a partition in order: finishes interrupted exchanges, cuts torn tails, takes damaged bytes
/// out into files named `<base>.log.damaged-<position>`, so that a segment has nothing but good
/// batches, rebuilds wrong indexes and checkpoints, and leaves a control file from which the log
/// opens without losing its end. Everything that can be read before can be read after; offsets
/// that cannot stay so. Durable when it returns. May be repeated, also after a crash half-way;
/// needs as much free space as the largest damaged segment, or fails with no_space having changed
/// nothing of it.
Result<RepairReport> repair_partition(const os::DirectoryPtr& directory,
                                      const RepairOptions& options = {});

}  // namespace millrace::inline v0::storage
