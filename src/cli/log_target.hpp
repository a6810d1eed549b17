#pragma once
#include <millrace/storage/inspect.hpp>
#include <string>
#include <vector>

#include "program.hpp"

namespace millrace::inline v0::cli {

/// One partition of a directory that nobody has open.
struct LogPartition {
  std::string name;  ///< of its directory, `orders-3`
  os::DirectoryPtr directory;
};

/// What `millrace log ...` works on: a data directory with all its partitions, or one partition.
struct LogTarget {
  std::string path;
  os::FileLock lock;
  std::vector<LogPartition> partitions;    ///< by topic and number
  std::vector<storage::Finding> findings;  ///< about the data directory's own files

  /// Bytes of all segments, blocks reserved ahead of them included.
  std::uint64_t log_bytes() const;
};

/// How the command line names a target.
struct LogTargetOptions {
  std::string path;
  std::vector<std::string> only;  ///< partitions, `orders-3` or `3`; none: all
};

enum class LogAccess : bool { read, write };

/// Opens a target while nobody owns it, and keeps owners away as long as it lives.
/// directory_locked names who has it open. With LogAccess::read nothing is written but who holds
/// the lock, and that only where it can be.
Result<LogTarget> open_log_target(const LogTargetOptions& options, LogAccess access);

/// Adds DIR and --partition to a subcommand.
void add_log_target(CLI::App& command, LogTargetOptions& options);

/// "note", "problem" or "damage".
std::string_view name_of(storage::Severity severity) noexcept;

/// `3 records`, `1 record`.
std::string counted(std::uint64_t count, std::string_view what);

}  // namespace millrace::inline v0::cli
