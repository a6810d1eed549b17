#pragma once
#include <algorithm>
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
  /// Everything below was stored, and no crash can have torn it: it was flushed, or it is in the
  /// page cache of a machine that runs on. Without a control file, what is to be taken for it.
  Offset durable;
  /// Where the log ends at the least.
  Offset least_end() const noexcept { return is_known ? durable : Offset{0}; }
  /// Whether a first segment with `base` was never durable: what stood before it is gone.
  bool is_stray(Offset base) const noexcept {
    return is_known && !is_same_run && base > std::max(log_start, durable);
  }
  Offset log_start;
  Offset log_end;
  Offset producer_snapshot{-1};  ///< the newest there was; -1: none
  Offset first_unsaved{0};       ///< no batch has a producer id between that and this
  Offset active_base;
  std::uint64_t active_end = 0;
  /// So many bytes of the last segment were stored, as `durable`; 0 if that is not known.
  std::uint64_t stored_bytes() const noexcept {
    return is_same_run || state == ControlState::clean ? active_end : 0;
  }
};

/// Where the part of a log that was never cleaned begins: kept beside it, as in Kafka's file of
/// this name but for one partition. That it exists says that gaps between batches are normal.
inline constexpr const char* cleaner_checkpoint_name = "cleaner-offset-checkpoint";
/// What it says; nothing if it is missing or damaged, which only makes the next pass do more.
std::optional<Offset> read_cleaner_checkpoint(const os::DirectoryPtr& directory);

/// What damaged bytes in a log come to: whoever opens it and whoever inspects it go by this.
struct DamageVerdict {
  bool ends_log = false;  ///< what stands behind the bytes is not part of the log
  bool is_kept = false;   ///< the bytes held something durable: they are not zeroed
  OffsetRange lost = {};  ///< durable offsets that cannot be read; without an end if the next
                          ///< segment's base is it
};

/// Damaged bytes at `position` of a segment.
struct DamagePlace {
  std::uint64_t position = 0;
  OffsetRange missing;  ///< as by BatchScan: without an end if nothing good follows in the segment
  std::optional<Offset> next_base;  ///< of the segment behind it; none if it is the last
};
DamageVerdict judge_damage(const KnownState& known, const DamagePlace& place);

/// Whether a segment with `base` belongs behind what ends at `end`, or else was never durable like
/// what is missing before it.
bool joins(const KnownState& known, Offset end, Offset base);

/// Judges the fields of a control block that was just opened.
Result<KnownState> judge_control(const os::DirectoryPtr& directory, const ControlFile& control);

/// Reads and judges a partition's control file without changing it.
Result<KnownState> read_known_state(const os::DirectoryPtr& directory);

}  // namespace millrace::inline v0::storage
