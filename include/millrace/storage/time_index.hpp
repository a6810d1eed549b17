#pragma once
#include <millrace/storage/index_file.hpp>
#include <optional>

namespace millrace::inline v0::storage {

/// One entry: no record up to and including `offset` is younger than `timestamp`, and the batch
/// that ends with `offset` has a record of that time.
struct TimeEntry {
  Timestamp timestamp;
  Offset offset;
  friend bool operator==(const TimeEntry&, const TimeEntry&) = default;
};

/// Kafka's `.timeindex`: sparse, sorted, 12 bytes an entry (int64 timestamp, int32 offset - base,
/// big-endian). Derived data. One writer, lock-free readers.
class TimeIndex {
 public:
  static constexpr std::size_t entry_bytes = 12;

  Result<void> open(const os::DirectoryPtr& directory, Offset base, IndexMode mode,
                    std::uint64_t limit_bytes);
  IndexFile& file() noexcept { return file_; }
  const IndexFile& file() const noexcept { return file_; }

  TimeEntry entry(std::size_t i) const noexcept;
  std::optional<TimeEntry> last() const noexcept;
  /// How many entries have a time below `timestamp`: everything up to the last one's offset is
  /// older.
  std::size_t entries_below(Timestamp timestamp) const noexcept;
  /// Appends if the time is above the last entry's; room must have been reserved.
  void append(TimeEntry entry) noexcept;
  /// corrupt_data unless times and offsets rise.
  Result<void> check() const;

 private:
  IndexFile file_;
  Offset base_;
};

}  // namespace millrace::inline v0::storage
