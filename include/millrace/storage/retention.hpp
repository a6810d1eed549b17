#pragma once
#include <cstdint>
#include <millrace/storage/log_options.hpp>
#include <vector>

namespace millrace::inline v0::storage {

/// What retention has to know of a segment.
struct SegmentAge {
  Offset base_offset;
  Offset next_base;  ///< base of the following segment, or the log's end
  std::uint64_t bytes = 0;
  Timestamp largest_timestamp = Timestamp::none();
};

/// How many of the oldest segments go, by Kafka's rules: older than retention.ms, above
/// retention.bytes, or wholly below `log_start`; never beyond `limit`, the high watermark or what
/// must be kept below it. `segments` is oldest first and ends with the active one.
std::size_t segments_to_delete(const std::vector<SegmentAge>& segments, const LogOptions& options,
                               Offset log_start, Offset limit, Timestamp now);

}  // namespace millrace::inline v0::storage
