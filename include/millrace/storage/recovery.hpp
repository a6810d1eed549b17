#pragma once
#include <chrono>
#include <millrace/storage/batch_scan.hpp>
#include <millrace/storage/control_file.hpp>
#include <millrace/storage/epoch_cache.hpp>
#include <millrace/storage/index_builder.hpp>
#include <millrace/storage/log_options.hpp>
#include <millrace/storage/segment.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::storage {

/// How a log was brought back.
enum class RecoveryKind : std::uint8_t {
  created,   ///< there was nothing
  clean,     ///< closed in order: nothing had to be read
  same_run,  ///< the owner was killed, the machine was not: only the last batches were checked
  scanned,   ///< power loss, a failed sync or a copied directory: read from the recovery point on
};

/// What opening a log found and did.
struct RecoveryReport {
  RecoveryKind kind = RecoveryKind::created;
  Offset log_start_offset;
  Offset log_end_offset;
  std::uint64_t scanned_bytes = 0;    ///< batches whose CRC was checked
  std::uint64_t truncated_bytes = 0;  ///< torn or unpublished bytes cut off behind the end
  std::vector<OffsetRange> damaged;   ///< offsets known durable once that cannot be read any more
  std::chrono::microseconds took{0};
};

/// What the caller knows of a log from elsewhere (the broker's checkpoint files); it counts only if
/// the log's own control file is lost.
struct RecoveryHints {
  Offset recovery_point{0};
  Offset log_start_offset{0};
};

/// What is known of a log's producers before any snapshot or batch is looked at.
struct KnownProducers {
  Offset snapshot{-1};    ///< the newest that was written, as far as known; -1: none
  Offset quiet_until{0};  ///< no batch between that and this has a producer id
  /// Transaction indexes from this segment on may not be as the log is: it was scanned.
  std::optional<Offset> scanned_from;
};

/// A recovered log, ready for a writer.
struct RecoveredLog {
  std::vector<Offset> bases;  ///< of all segments, rising; the last one is to be active
  std::uint64_t active_end = 0;
  TimeEntry largest{Timestamp::none(), Offset{}};  ///< of the active segment
  Offset flushed_offset;
  bool gaps_are_normal = false;           ///< compaction was at work
  std::vector<EpochCache::Entry> epochs;  ///< that begin in what was scanned
  KnownProducers producers;
  RecoveryReport report;
};

/// Brings the files of one partition into order after whatever happened. Finishes or undoes
/// exchanges of files, finds the end of the log, zeroes what is behind it, rebuilds indexes. Bytes
/// that were durable are never cut off: damage among them is reported and stepped over, but for
/// what cannot be told from an append that was torn behind the hole of a compaction. Needs no free
/// disk space. docs/log_format.md lists every crash case, docs/durability.md the rules.
Result<RecoveredLog> recover(const os::DirectoryPtr& directory, const LogOptions& options,
                             const ControlFile& control, const RecoveryHints& hints);

}  // namespace millrace::inline v0::storage
