#pragma once
#include <vector>

#include <millrace/core/result.hpp>
#include <millrace/os/directory.hpp>

namespace millrace::inline v0::storage {

/// Finishes or undoes exchanges of segment files that a crash interrupted: removes `.deleted`,
/// `.cleaned` and temporary files and indexes without a log, completes `.swap`. Returns the base
/// offsets of the segments, rising.
Result<std::vector<Offset>> tidy_segment_files(const os::DirectoryPtr& directory);

/// Removes a segment's files, the log last but one step: a crash in between leaves orphans that
/// tidy_segment_files() removes.
Result<void> remove_segment_files(const os::DirectoryPtr& directory, Offset base);

}  // namespace millrace::inline v0::storage
