#include <millrace/storage/file_names.hpp>
#include <millrace/storage/index_builder.hpp>
#include <vector>

namespace millrace::inline v0::storage {

namespace {

/// Never cuts a file that somebody may have mapped. Not synced: it can be rebuilt.
Result<void> replace_index(const os::DirectoryPtr& directory, const std::string& name,
                           Bytes content) {
  const std::string temporary = name + ".tmp";
  auto replaced = [&]() -> Result<void> {
    MILLRACE_TRY(os::File file, directory->open(temporary, os::OpenMode::replace));
    MILLRACE_CHECK(file.write_at(content, 0));
    return directory->rename(temporary, name);
  }();
  if (!replaced) static_cast<void>(directory->remove(temporary));
  return replaced;
}

}  // namespace

void append_index_entries(OffsetIndex& offsets, TimeIndex& times, const record::BatchView& batch,
                          std::uint64_t position, TimeEntry largest) noexcept {
  if (offsets.file().count() >= offsets.file().capacity()) return;
  offsets.append({batch.last_offset(), FilePosition{position}});
  if (largest.timestamp == Timestamp::none()) return;
  // The last slot is for the entry that sealing adds.
  if (times.file().count() + 1 < times.file().capacity()) times.append(largest);
}

void IndexContent::add_time() {
  const TimeEntry largest = policy_.largest();
  if (largest.timestamp <= last_time_) return;
  last_time_ = largest.timestamp;
  const std::size_t at = times_.size();
  times_.resize(at + TimeIndex::entry_bytes);
  store_big(times_.data() + at, last_time_.milliseconds());
  store_big(times_.data() + at + 8, static_cast<std::int32_t>(largest.offset - base_));
}

void IndexContent::add(const record::BatchView& batch, std::uint64_t position) {
  if (!policy_.add(batch)) return;
  const std::size_t at = offsets_.size();
  offsets_.resize(at + OffsetIndex::entry_bytes);
  store_big(offsets_.data() + at, static_cast<std::int32_t>(batch.last_offset() - base_));
  store_big(offsets_.data() + at + 4, static_cast<std::uint32_t>(position));
  add_time();
}

Result<void> IndexContent::write(const os::DirectoryPtr& directory, std::string_view suffix) {
  add_time();
  MILLRACE_CHECK(
      replace_index(directory, file_name(base_, offset_index_suffix).append(suffix), offsets_));
  return replace_index(directory, file_name(base_, time_index_suffix).append(suffix), times_);
}

Result<void> write_indexes(const os::DirectoryPtr& directory, Offset base, Bytes log,
                           std::uint32_t interval_bytes) {
  IndexContent indexes(base, interval_bytes);
  for (std::size_t position = 0; position < log.size();) {
    const auto batch = record::BatchView::try_parse(log.subspan(position));
    if (batch.size() == 0) break;
    indexes.add(batch, position);
    position += batch.size();
  }
  return indexes.write(directory);
}

}  // namespace millrace::inline v0::storage
