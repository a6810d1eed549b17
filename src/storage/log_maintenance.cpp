#include <algorithm>

#include <millrace/storage/cleaner.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/log.hpp>
#include <millrace/storage/retention.hpp>
#include <millrace/storage/tidy.hpp>

namespace millrace::inline v0::storage {

Result<void> Log::remove_files(Offset base) {
  const std::string name = file_name(base, log_suffix);
  if (options_.file_delete_delay.count() > 0) {
    const std::string renamed = name + std::string(deleted_suffix);
    MILLRACE_CHECK(directory_->rename(name, renamed));
    deleted_.push_back({clock_->now() + options_.file_delete_delay, renamed});
  }
  return remove_segment_files(directory_, base);
}

Result<void> Log::remove_deleted() {
  const std::lock_guard cleaning(clean_mutex_);
  const Timestamp now = clock_->now();
  Result<void> done;
  std::erase_if(deleted_, [&](const Deleted& file) {
    if (file.due > now || !done) return false;
    done = directory_->remove(file.name);
    return done.has_value();
  });
  return done;
}

Result<void> Log::drop_segments(std::size_t count, Offset new_start) {
  // Readers first learn that the offsets are gone, then the files go, oldest first.
  std::vector<SegmentPtr> dropped;
  {
    const std::lock_guard lock(mutex_);
    auto list = *segments();
    std::vector<SegmentPtr> rest = list->segments;
    if (count == rest.size()) {
      MILLRACE_CHECK(roll_locked(log_end_offset()));
      rest = (*segments())->segments;
      new_start = log_end_offset();
    }
    dropped.assign(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(count));
    rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(count));
    ControlBlock& block = control_.block();
    if (new_start > log_start_offset()) {
      block.log_start_offset.store(new_start.value(), std::memory_order_release);
    }
    if (flushed_offset() < new_start) block.flushed_offset.store(new_start.value());
    std::erase_if(unsynced_, [&](const auto& sealed) {
      return std::find(dropped.begin(), dropped.end(), sealed->segment()) != dropped.end();
    });
    epochs_.truncate_from_start(new_start);
    epochs_dirty_ = true;
    replace_list(std::move(rest));
  }
  for (const auto& segment : dropped) MILLRACE_CHECK(remove_files(segment->base_offset()));
  return directory_->sync();
}

Result<std::size_t> Log::apply_retention() {
  const std::lock_guard cleaning(clean_mutex_);
  const std::lock_guard one_flush(flush_mutex_);
  {
    const std::lock_guard lock(mutex_);
    MILLRACE_CHECK(check_usable());
  }
  MILLRACE_TRY(const SegmentListPtr list, segments());
  const LogOptions now_options = options();
  std::vector<SegmentAge> ages;
  for (std::size_t i = 0; i < list->segments.size(); ++i) {
    const SegmentPtr& segment = list->segments[i];
    const bool is_last = i + 1 == list->segments.size();
    SegmentAge age{segment->base_offset(),
                   is_last ? log_end_offset() : list->segments[i + 1]->base_offset(), 0,
                   Timestamp::none()};
    MILLRACE_TRY(age.largest_timestamp, segment->largest_timestamp());
    MILLRACE_TRY(age.bytes, segment->file_bytes());
    ages.push_back(age);
  }
  const std::size_t count = segments_to_delete(ages, now_options, log_start_offset(),
                                               high_watermark(), clock_->now());
  if (count == 0) return count;
  MILLRACE_CHECK(drop_segments(count, ages[count - 1].next_base));
  return count;
}

Result<void> Log::delete_before(Offset offset) {
  if (offset > high_watermark()) {
    return Error(Errc::offset_out_of_range,
                 "cannot delete records before offset " + std::to_string(offset.value()) +
                     ": the log is readable up to " + std::to_string(high_watermark().value()))
        .with_offsets({log_start_offset(), high_watermark()});
  }
  {
    const std::lock_guard cleaning(clean_mutex_);
    const std::lock_guard lock(mutex_);
    MILLRACE_CHECK(check_usable());
    if (offset > log_start_offset()) {
      control_.block().log_start_offset.store(offset.value(), std::memory_order_release);
      MILLRACE_CHECK(control_.sync());
    }
  }
  MILLRACE_TRY(const std::size_t dropped, apply_retention());
  static_cast<void>(dropped);
  return {};
}

Result<void> Log::truncate_to(Offset offset) {
  const std::lock_guard cleaning(clean_mutex_);
  const std::lock_guard one_flush(flush_mutex_);
  const std::lock_guard lock(mutex_);
  MILLRACE_CHECK(check_usable());
  if (offset >= log_end_offset()) return {};
  offset = std::max(offset, log_start_offset());
  auto list = *segments();
  std::vector<SegmentPtr> rest = list->segments;
  const std::size_t keep = list->index_of(offset);
  MILLRACE_TRY(const FilePosition position, rest[keep]->find(offset));
  const auto cut = rest[keep]->batch_at(position.value());
  const Offset new_end = cut.size() != 0 ? std::min(cut.base_offset(), offset) : offset;

  // Nothing beyond the cut may be readable before it is gone.
  ControlBlock& block = control_.block();
  const auto lower = [&](std::atomic<std::int64_t>& field) {
    field.store(std::min(field.load(), new_end.value()), std::memory_order_release);
  };
  lower(block.high_watermark);
  lower(block.last_stable_offset);
  lower(block.flushed_offset);
  for (std::size_t i = rest.size(); i-- > keep + 1;) {
    MILLRACE_CHECK(remove_segment_files(directory_, rest[i]->base_offset()));
  }
  std::erase_if(unsynced_, [&](const auto& sealed) {
    return sealed->segment()->base_offset() >= rest[keep]->base_offset();
  });
  MILLRACE_CHECK(directory_->sync());
  if (!active_ || keep + 1 != rest.size()) {
    const Segment::Limits limits{options_.segment_bytes, options_.segment_index_bytes};
    const Offset base = rest[keep]->base_offset();
    MILLRACE_TRY(const std::uint64_t bytes, rest[keep]->file_bytes());
    rest[keep] = std::make_shared<Segment>(directory_, base, SegmentMode::active, limits);
    MILLRACE_TRY(active_, ActiveSegment::resume(rest[keep], bytes,
                                                {Timestamp::none(), base}, options_));
  }
  rest.resize(keep + 1);
  TimeEntry largest{Timestamp::none(), rest[keep]->base_offset()};
  for (std::uint64_t at = 0; at < position.value();) {
    const auto batch = rest[keep]->batch_at(at);
    if (batch.size() == 0) break;
    if (batch.max_timestamp() > largest.timestamp) {
      largest = {batch.max_timestamp(), batch.last_offset()};
    }
    at += batch.size();
  }
  MILLRACE_CHECK(active_->truncate(position.value(), new_end, largest));
  flushed_position_ = position.value();
  block.log_end_offset.store(new_end.value(), std::memory_order_release);
  block.flushed_offset.store(new_end.value(), std::memory_order_release);
  block.state.store(static_cast<std::uint32_t>(ControlState::live));
  epochs_.truncate_from_end(new_end);
  epochs_dirty_ = true;
  publish_active();
  replace_list(std::move(rest));
  if (observer_ != nullptr) observer_->on_truncate(new_end);
  return control_.sync();
}

}  // namespace millrace::inline v0::storage
