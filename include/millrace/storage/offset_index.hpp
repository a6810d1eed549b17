#pragma once
#include <millrace/storage/index_file.hpp>
#include <optional>

namespace millrace::inline v0::storage {

/// One entry: the batch that starts at `position` ends with record `offset`.
struct OffsetEntry {
  Offset offset;
  FilePosition position;
  friend bool operator==(const OffsetEntry&, const OffsetEntry&) = default;
};

/// Kafka's `.index`: sparse, sorted, 8 bytes an entry (int32 offset - base, int32 position,
/// big-endian). Derived data. One writer, lock-free readers.
class OffsetIndex {
 public:
  static constexpr std::size_t entry_bytes = 8;

  Result<void> open(const os::DirectoryPtr& directory, Offset base, IndexMode mode,
                    std::uint64_t limit_bytes);
  IndexFile& file() noexcept { return file_; }
  const IndexFile& file() const noexcept { return file_; }

  OffsetEntry entry(std::size_t i) const noexcept;
  /// The number of entries whose offset is below `offset`.
  std::size_t entries_below(Offset offset) const noexcept;
  /// The last entry at or below `offset`; nothing if there is none.
  std::optional<OffsetEntry> at_or_below(Offset offset) const noexcept;
  /// Appends; room must have been reserved.
  void append(OffsetEntry entry) noexcept;
  /// corrupt_data unless offsets and positions rise and stay below the log's `end`.
  Result<void> check(FilePosition end) const;

 private:
  void narrow(std::int64_t relative, std::size_t& low, std::size_t& length) const noexcept;
  IndexFile file_;
  Offset base_;
};

}  // namespace millrace::inline v0::storage
