#pragma once
#include <millrace/storage/control_file.hpp>
#include <optional>
#include <string>

namespace millrace::inline v0::storage {

/// What a control file says of a log that nobody owns, as far as it is to be believed.
struct KnownState {
  bool is_known = false;  ///< the fields below mean something
  bool is_missing = false;
  std::string fault;  ///< why not, for messages
  ControlState state = ControlState::unknown;
  /// The owner stopped on this running machine: what it stored is in the page cache, synced or not.
  bool is_same_run = false;
  bool gaps_are_normal = false;  ///< compaction has left, or may have left, offsets out
  Offset flushed;                ///< everything below was made durable
  Offset durable;                ///< everything below must be there: flushed, or in the page cache
  Offset log_start;
  Offset log_end;
  Offset active_base;
  std::uint64_t active_end = 0;
};

/// Where the part of a log that was never cleaned begins: kept beside it, as in Kafka's file of
/// this name but for one partition. That it exists says that gaps between batches are normal.
inline constexpr const char* cleaner_checkpoint_name = "cleaner-offset-checkpoint";
/// What it says; nothing if it is missing or damaged, which only makes the next pass do more.
std::optional<Offset> read_cleaner_checkpoint(const os::DirectoryPtr& directory);

/// Judges the fields of a control block that was just opened.
KnownState judge_control(const os::DirectoryPtr& directory, const ControlFile& control);

/// Reads and judges a partition's control file without changing it.
KnownState read_known_state(const os::DirectoryPtr& directory);

}  // namespace millrace::inline v0::storage
