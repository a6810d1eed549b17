#include <millrace/storage/file_names.hpp>
#include <millrace/storage/time_index.hpp>

namespace millrace::inline v0::storage {

Result<void> TimeIndex::open(const os::DirectoryPtr& directory, Offset base, IndexMode mode,
                             std::uint64_t limit_bytes) {
  base_ = base;
  return file_.open(directory, file_name(base, time_index_suffix), mode, entry_bytes, limit_bytes);
}

TimeEntry TimeIndex::entry(std::size_t i) const noexcept {
  const std::byte* at = file_.entry(i);
  return {Timestamp{load_big<std::int64_t>(at)}, base_ + load_big<std::int32_t>(at + 8)};
}

std::optional<TimeEntry> TimeIndex::last() const noexcept {
  const std::size_t n = file_.count();
  if (n == 0) return std::nullopt;
  return entry(n - 1);
}

std::size_t TimeIndex::entries_below(Timestamp timestamp) const noexcept {
  std::size_t low = 0;
  std::size_t high = file_.count();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (entry(middle).timestamp < timestamp) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void TimeIndex::append(TimeEntry entry) noexcept {
  if (const auto previous = last(); previous && previous->timestamp >= entry.timestamp) return;
  std::byte* at = file_.next_entry();
  store_big(at + 8, static_cast<std::int32_t>(entry.offset - base_));
  store_big(at, entry.timestamp.milliseconds());
  file_.publish();
}

Result<void> TimeIndex::check() const {
  for (std::size_t i = 1; i < file_.count(); ++i) {
    const TimeEntry a = entry(i - 1);
    const TimeEntry b = entry(i);
    if (b.timestamp <= a.timestamp || b.offset <= a.offset) {
      return Error(Errc::corrupt_data, "time index of segment " + file_name(base_, log_suffix) +
                                           ": entry " + std::to_string(i) +
                                           " is out of order; it is rebuilt from the log");
    }
  }
  return {};
}

}  // namespace millrace::inline v0::storage
