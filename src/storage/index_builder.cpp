#include <millrace/storage/index_builder.hpp>

#include <vector>

#include <millrace/storage/file_names.hpp>

namespace millrace::inline v0::storage {

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
  if (times.file().count() < times.file().capacity()) times.append(largest);
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
  MILLRACE_TRY(os::File offset_file, directory->open(file_name(base, offset_index_suffix),
                                                     os::OpenMode::replace));
  MILLRACE_CHECK(offset_file.write_at(offsets, 0));
  MILLRACE_TRY(os::File time_file,
               directory->open(file_name(base, time_index_suffix), os::OpenMode::replace));
  return time_file.write_at(times, 0);
}

}  // namespace millrace::inline v0::storage
