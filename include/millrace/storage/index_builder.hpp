#pragma once
#include <millrace/os/directory.hpp>
#include <millrace/record/batch_view.hpp>
#include <millrace/storage/offset_index.hpp>
#include <millrace/storage/time_index.hpp>

namespace millrace::inline v0::storage {

/// Decides which batches get index entries: one after every interval of bytes, as Kafka does.
class IndexPolicy {
 public:
  explicit IndexPolicy(std::uint32_t interval_bytes) : interval_bytes_(interval_bytes) {}

  /// Tells of a batch that is about to be stored; true if it gets entries.
  bool add(const record::BatchView& batch) noexcept;
  /// The largest time so far and the last offset of its batch.
  TimeEntry largest() const noexcept { return largest_; }
  void reset(TimeEntry largest) noexcept { largest_ = largest, since_entry_ = 0; }
  void set_interval(std::uint32_t interval_bytes) noexcept { interval_bytes_ = interval_bytes; }

 private:
  std::uint32_t interval_bytes_;
  std::uint64_t since_entry_ = 0;
  TimeEntry largest_{Timestamp::none(), Offset{}};
};

/// Stores the entries of the batch at `position` if the indexes have room: a missing entry only
/// makes lookups walk further.
void append_index_entries(OffsetIndex& offsets, TimeIndex& times, const record::BatchView& batch,
                          std::uint64_t position, TimeEntry largest) noexcept;

/// Writes the two indexes of a complete segment from its log bytes, replacing what is there.
Result<void> write_indexes(const os::DirectoryPtr& directory, Offset base, Bytes log,
                           std::uint32_t interval_bytes = 4096);

}  // namespace millrace::inline v0::storage
