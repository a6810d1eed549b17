#include <millrace/storage/retention.hpp>
#include <numeric>

namespace millrace::inline v0::storage {

std::size_t segments_to_delete(const std::vector<SegmentAge>& segments, const LogOptions& options,
                               Offset log_start, Offset limit, Timestamp now) {
  std::uint64_t total = 0;
  for (const SegmentAge& s : segments) total += s.bytes;
  std::size_t count = 0;
  for (const SegmentAge& s : segments) {
    const bool is_active = &s == &segments.back();
    if (s.next_base > limit || (is_active && s.bytes == 0)) break;
    const bool too_old = options.cleanup_delete && options.retention_ms.count() >= 0 &&
                         s.largest_timestamp != Timestamp::none() &&
                         now - s.largest_timestamp > options.retention_ms;
    const bool too_much = options.cleanup_delete && options.retention_bytes >= 0 && !is_active &&
                          total - s.bytes >= static_cast<std::uint64_t>(options.retention_bytes);
    const bool below_start = !is_active && s.next_base <= log_start;
    if (!too_old && !too_much && !below_start) break;
    total -= s.bytes;
    ++count;
  }
  return count;
}

}  // namespace millrace::inline v0::storage
