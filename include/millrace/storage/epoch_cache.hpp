#pragma once
#include <millrace/os/directory.hpp>
#include <optional>
#include <vector>

namespace millrace::inline v0::storage {

/// Which leader epoch began at which offset (KIP-101, KIP-279), kept in Kafka's
/// `leader-epoch-checkpoint`. Not thread-safe: the log's lock guards it.
class EpochCache {
 public:
  static constexpr const char* file_name = "leader-epoch-checkpoint";
  struct Entry {
    LeaderEpoch epoch;
    Offset start;
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  struct EndOffset {
    LeaderEpoch epoch{};
    Offset end;
    friend bool operator==(const EndOffset&, const EndOffset&) = default;
  };

  /// Reads the checkpoint; a missing or damaged file is an empty cache (`was_lost()` tells).
  Result<void> load(const os::DirectoryPtr& directory);
  bool was_damaged() const noexcept { return damaged_; }
  bool was_lost() const noexcept { return damaged_ || missing_; }
  /// Fills it from the batches of the segments with these base offsets, which reads all of them.
  Result<void> rebuild(const os::DirectoryPtr& directory, const std::vector<Offset>& bases);

  /// A batch of `epoch` is written at `start`; true if that begins a new epoch.
  bool assign(LeaderEpoch epoch, Offset start);
  /// Forgets what begins at or above `end`.
  void truncate_from_end(Offset end);
  /// Forgets what ends at or below `start`.
  void truncate_from_start(Offset start);
  /// The largest known epoch at or below `epoch` and where it ends; `log_end` ends the latest.
  /// Nothing if `epoch` is above all or there is none.
  std::optional<EndOffset> end_offset_for(LeaderEpoch epoch, Offset log_end) const;
  std::optional<LeaderEpoch> latest() const noexcept {
    if (entries_.empty()) return std::nullopt;
    return entries_.back().epoch;
  }
  const std::vector<Entry>& entries() const noexcept { return entries_; }

  /// Writes the checkpoint durably.
  Result<void> save(const os::DirectoryPtr& directory) const;

 private:
  std::vector<Entry> entries_;
  bool damaged_ = false;
  bool missing_ = false;
};

}  // namespace millrace::inline v0::storage
