#pragma once
#include <millrace/core/error.hpp>
#include <millrace/core/result.hpp>
#include <millrace/os/directory.hpp>
#include <optional>
#include <vector>

namespace millrace::inline v0::storage {

/// Finishes or undoes exchanges of segment files that a crash interrupted: ours and Kafka's
/// (`.swap`). Removes `.deleted`, `.cleaned` and temporary files and indexes without a log. Returns
/// the base offsets of the segments, rising.
Result<std::vector<Offset>> tidy_segment_files(const os::DirectoryPtr& directory);

/// The exchange of the segments in [begin, end) for the `.cleaned` one at `begin` is announced in a
/// small durable file, renamed into place, then the other segments go. At no moment does a listing
/// of the `.log` files miss a record; until the announcement is taken back they may overlap.
inline constexpr const char* exchange_file_name = "segment-exchange";
struct Exchange {
  bool is_announced = false;
  bool is_undone = false;               ///< the cleaned log is not in place: nothing has changed
  std::optional<OffsetRange> segments;  ///< nothing if the file is damaged
};
Result<Exchange> read_exchange(const os::DirectoryPtr& directory);
Result<void> begin_exchange(const os::DirectoryPtr& directory, OffsetRange segments);
Result<void> end_exchange(const os::DirectoryPtr& directory);
/// Undoes an announced exchange if the cleaned log is not in place, completes it if it is.
Result<void> finish_exchange(const os::DirectoryPtr& directory);

/// Removes a segment's files, the log last but one step: a crash in between leaves orphans that
/// tidy_segment_files() removes.
Result<void> remove_segment_files(const os::DirectoryPtr& directory, Offset base);

}  // namespace millrace::inline v0::storage
