#pragma once
#include <millrace/os/directory.hpp>
#include <millrace/record/batch_view.hpp>
#include <millrace/storage/offset_index.hpp>
#include <millrace/storage/time_index.hpp>
#include <string_view>
#include <vector>

namespace millrace::inline v0::storage {

/// Decides which batches get index entries: one after every interval of bytes, as Kafka does.
class IndexPolicy {
 public:
  explicit IndexPolicy(std::uint32_t interval_bytes) : interval_bytes_(interval_bytes) {}

  /// Tells of a batch that is about to be stored; true if it gets entries.
  bool add(const record::BatchView& batch) noexcept {
    if (batch.max_timestamp() > largest_.timestamp) {
      largest_ = {batch.max_timestamp(), batch.last_offset()};
    }
    const bool due = since_entry_ > interval_bytes_;
    if (due) since_entry_ = 0;
    since_entry_ += batch.size();
    return due;
  }
  /// The largest time so far and the last offset of its batch.
  TimeEntry largest() const noexcept { return largest_; }
  void reset(TimeEntry largest) noexcept { largest_ = largest, since_entry_ = 0; }
  void set_interval(std::uint32_t interval_bytes) noexcept { interval_bytes_ = interval_bytes; }

 private:
  std::uint32_t interval_bytes_;
  std::uint64_t since_entry_ = 0;
  TimeEntry largest_{Timestamp::none(), Offset{}};
};

/// How many entries of each index so many log bytes need at most, the one of sealing included.
constexpr std::size_t index_entries_for(std::uint64_t log_bytes,
                                        std::uint32_t interval_bytes) noexcept {
  const std::uint64_t apart =
      interval_bytes > record::layout::header_bytes ? interval_bytes : record::layout::header_bytes;
  return static_cast<std::size_t>(log_bytes / apart) + 2;
}

/// Stores the entries of the batch at `position` if the indexes have room: a missing entry only
/// makes lookups walk further.
void append_index_entries(OffsetIndex& offsets, TimeIndex& times, const record::BatchView& batch,
                          std::uint64_t position, TimeEntry largest) noexcept;

/// The two indexes of a complete segment, made in memory as its batches go by.
class IndexContent {
 public:
  explicit IndexContent(Offset base, std::uint32_t interval_bytes = 4096)
      : base_(base), policy_(interval_bytes) {}

  /// Takes the batch that stands at `position`; to be called in order.
  void add(const record::BatchView& batch, std::uint64_t position);
  /// Replaces the index files; `suffix` goes behind their names. Not durable: they can be rebuilt.
  Result<void> write(const os::DirectoryPtr& directory, std::string_view suffix = {});

 private:
  void add_time();

  Offset base_;
  IndexPolicy policy_;
  Timestamp last_time_ = Timestamp::none();
  std::vector<std::byte> offsets_;
  std::vector<std::byte> times_;
};

/// Writes the two indexes of a complete segment from its log bytes, replacing what is there.
Result<void> write_indexes(const os::DirectoryPtr& directory, Offset base, Bytes log,
                           std::uint32_t interval_bytes = 4096);

}  // namespace millrace::inline v0::storage
