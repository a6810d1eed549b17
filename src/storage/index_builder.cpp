#include <millrace/storage/index_builder.hpp>

#include <vector>

#include <millrace/storage/file_names.hpp>

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

bool IndexPolicy::add(const record::BatchView& batch) noexcept {
  if (batch.max_timestamp() > largest_.timestamp) {
    largest_ = {batch.max_timestamp(), batch.last_offset()};
  }
  const bool due = since_entry_ > interval_bytes_;
  if (due) since_entry_ = 0;
  since_entry_ += batch.size();
  return due;
}

void append_index_entries(OffsetIndex& offsets, TimeIndex& times, const record::BatchView& batch,
                          std::uint64_t position, TimeEntry largest) noexcept {
  if (offsets.file().count() >= offsets.file().capacity()) return;
  offsets.append({batch.last_offset(), FilePosition{position}});
  if (largest.timestamp == Timestamp::none()) return;
  // The last slot is for the entry that sealing adds.
  if (times.file().count() + 1 < times.file().capacity()) times.append(largest);
}

Result<void> write_indexes(const os::DirectoryPtr& directory, Offset base, Bytes log,
                           std::uint32_t interval_bytes) {
  IndexPolicy policy(interval_bytes);
  std::vector<std::byte> offsets;
  std::vector<std::byte> times;
  Timestamp last_time = Timestamp::none();
  const auto add_time = [&] {
    if (policy.largest().timestamp <= last_time) return;
    last_time = policy.largest().timestamp;
    const std::size_t at = times.size();
    times.resize(at + TimeIndex::entry_bytes);
    store_big(times.data() + at, last_time.milliseconds());
    store_big(times.data() + at + 8, static_cast<std::int32_t>(policy.largest().offset - base));
  };
  for (std::size_t position = 0; position < log.size();) {
    const auto batch = record::BatchView::try_parse(log.subspan(position));
    if (batch.size() == 0) break;
    if (policy.add(batch)) {
      const std::size_t at = offsets.size();
      offsets.resize(at + OffsetIndex::entry_bytes);
      store_big(offsets.data() + at, static_cast<std::int32_t>(batch.last_offset() - base));
      store_big(offsets.data() + at + 4, static_cast<std::uint32_t>(position));
      add_time();
    }
    position += batch.size();
  }
  add_time();
  MILLRACE_CHECK(replace_index(directory, file_name(base, offset_index_suffix), offsets));
  return replace_index(directory, file_name(base, time_index_suffix), times);
}

}  // namespace millrace::inline v0::storage
