#pragma once
#include <millrace/os/directory.hpp>
#include <string>
#include <vector>

#include "storage/known_state.hpp"

namespace millrace::inline v0::storage {

/// What a partition's directory holds, as opening the log would see it: the replacement of an
/// interrupted exchange stands in for the segments that it replaces.
struct PartitionFiles {
  struct SegmentFile {
    Offset base;
    std::string name;
    bool has_old_indexes = false;  ///< opening removes them: they may be of what it replaced
  };
  std::vector<SegmentFile> segments;  ///< by base offset
  std::vector<std::string> leftovers;
  std::vector<std::string> orphans;  ///< indexes without a log
  std::vector<std::string> side_files;
};
Result<PartitionFiles> list_partition(const os::DirectoryPtr& directory);

/// Where the offsets of segment `index` end at the latest: the base of the next one that holds
/// anything.
Offset limit_of_segment(const os::DirectoryPtr& directory,
                        const std::vector<PartitionFiles::SegmentFile>& segments, std::size_t index,
                        const KnownState& known);

/// Sorts the ranges and joins those that touch.
std::vector<OffsetRange> merged(std::vector<OffsetRange> ranges);

/// `<base>.log.damaged-<position>`.
std::string side_file_name(const std::string& log, std::uint64_t position);

}  // namespace millrace::inline v0::storage
