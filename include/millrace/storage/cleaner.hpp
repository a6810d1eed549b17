#pragma once
#include <string>
#include <unordered_map>

#include <millrace/storage/log_options.hpp>
#include <millrace/storage/segment.hpp>

namespace millrace::inline v0::storage {

/// What one rewriting of segments did.
struct CleanStats {
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes_after = 0;
  std::uint64_t records_kept = 0;
  std::uint64_t records_dropped = 0;
};

/// The last offset of every key over the part of a log that was not cleaned yet (its "dirty" part).
using KeyOffsets = std::unordered_map<std::string, Offset>;

/// Adds the keys of a segment's records at or above `from` to `keys`.
Result<void> collect_keys(Segment& segment, Offset from, KeyOffsets& keys);

/// What a cleaning pass goes by.
struct CleanRules {
  const KeyOffsets* keys = nullptr;
  Offset keys_end;  ///< records at or beyond it stay, whatever their key
  Timestamp now;
  std::chrono::milliseconds delete_retention{0};
};

/// Writes what compaction keeps of `segments` (adjacent, rising) as one segment with the first one's
/// base, under `.log.cleaned`, made durable. The offset range of every batch that keeps a record and
/// of the last batch survives. Kafka's rules: SEMANTICS "Compaction", KIP-534 for tombstones.
Result<CleanStats> rewrite_segments(const std::vector<SegmentPtr>& segments,
                                    const CleanRules& rules);

/// Puts the cleaned file in place of the segments it replaces: renames it to `.swap`, removes the
/// others, renames it to `.log`. A crash anywhere in between is finished by tidy_segment_files().
Result<void> swap_in(const os::DirectoryPtr& directory, const std::vector<SegmentPtr>& replaced);

/// Groups adjacent segments so that each group's bytes stay within a segment's limits.
std::vector<std::vector<SegmentPtr>> group_segments(const std::vector<SegmentPtr>& segments,
                                                    const LogOptions& options);

}  // namespace millrace::inline v0::storage
