#include <algorithm>
#include <millrace/storage/cleaner.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/log.hpp>
#include <millrace/storage/retention.hpp>
#include <millrace/storage/tidy.hpp>
#include <utility>

namespace millrace::inline v0::storage {
namespace {

Result<TimeEntry> largest_before(Segment& segment, std::uint64_t end) {
  TimeEntry largest{Timestamp::none(), segment.base_offset()};
  MILLRACE_CHECK(segment.check_readable(0, std::max<std::uint64_t>(end, 1)));
  for (std::uint64_t position = 0; position < end;) {
    const auto batch = segment.batch_at(position);
    if (batch.size() == 0) break;
    if (batch.max_timestamp() > largest.timestamp) {
      largest = {batch.max_timestamp(), batch.last_offset()};
    }
    position += batch.size();
  }
  return largest;
}

}  // namespace

Result<void> Log::remove_files(Offset base) {
  const std::string name = file_name(base, log_suffix);
  const auto delay = options().file_delete_delay;
  if (delay.count() > 0) {
    const std::string renamed = name + std::string(deleted_suffix);
    MILLRACE_CHECK(directory_->rename(name, renamed));
    deleted_.push_back({clock_->now() + delay, renamed});
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

/// Makes it known, and durable, that the log starts at `start`: only then may files go, in whatever
/// order the file system makes that durable.
Result<void> Log::announce_start(Offset start) {
  ControlBlock& block = control_.block();
  leave_clean();
  if (start > log_start_offset()) {
    block.log_start_offset.store(start.value(), std::memory_order_release);
  }
  if (flushed_offset() < start) block.flushed_offset.store(start.value());
  producers_.show(high_watermark());
  auto synced = [&]() -> Result<void> {
    MILLRACE_CHECK(control_.sync());
    // Of the segments that stay at least the last must be found again.
    if (std::exchange(directory_dirty_, false)) return directory_->sync();
    return {};
  }();
  if (!synced) return fail_locked(std::move(synced).error());
  return {};
}

Result<std::size_t> Log::drop_segments(std::size_t count, Offset new_start) {
  // Readers first learn that the offsets are gone, then the files go, oldest first.
  std::vector<SegmentPtr> dropped;
  {
    const std::lock_guard lock(mutex_);
    auto list = *segments();
    std::vector<SegmentPtr> rest = list->segments;
    const auto end_of_dropped = [&] {
      return count < rest.size() ? rest[count]->base_offset() : log_end_offset();
    };
    // The active segment has more by now than what was judged: it stays.
    if (end_of_dropped() != new_start) --count;
    if (count == 0) return count;
    if (count == rest.size()) {
      MILLRACE_CHECK(roll_locked(log_end_offset()));
      rest = (*segments())->segments;
    }
    new_start = end_of_dropped();
    dropped.assign(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(count));
    rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(count));
    MILLRACE_CHECK(announce_start(new_start));
    const auto is_dropped = [&](const SegmentPtr& segment) {
      return std::find(dropped.begin(), dropped.end(), segment) != dropped.end();
    };
    std::erase_if(unsynced_, [&](const auto& sealed) { return is_dropped(sealed->segment()); });
    std::erase_if(recovered_unsynced_, is_dropped);
    const auto epochs = epochs_.entries();
    epochs_.truncate_from_start(new_start);
    epochs_dirty_ |= epochs_.entries() != epochs;
    replace_list(std::move(rest));
  }
  for (const auto& segment : dropped) MILLRACE_CHECK(remove_files(segment->base_offset()));
  MILLRACE_CHECK(directory_->sync());
  return count;
}

Result<std::size_t> Log::apply_retention() {
  const std::lock_guard cleaning(clean_mutex_);
  const std::lock_guard one_flush(flush_mutex_);
  {
    const std::lock_guard lock(mutex_);
    MILLRACE_CHECK(check_usable());
  }
  return drop_old_segments(options());
}

Result<std::size_t> Log::drop_old_segments(const LogOptions& rules) {
  MILLRACE_TRY(const SegmentListPtr list, segments());
  std::vector<SegmentAge> ages;
  for (std::size_t i = 0; i < list->segments.size(); ++i) {
    const SegmentPtr& segment = list->segments[i];
    const bool is_last = i + 1 == list->segments.size();
    SegmentAge age{segment->base_offset(),
                   is_last ? log_end_offset() : list->segments[i + 1]->base_offset(), 0,
                   Timestamp::none()};
    MILLRACE_TRY(const TimeEntry largest, segment->largest(log_end_offset()));
    age.largest_timestamp = largest.timestamp;
    MILLRACE_TRY(age.bytes, segment->file_bytes());
    ages.push_back(age);
  }
  const bool waits = rules.delayed_delivery && rules.cleanup_delete;
  const Offset limit = waits ? std::min(high_watermark(), get(kept_from_)) : high_watermark();
  const std::size_t count =
      segments_to_delete(ages, rules, log_start_offset(), limit, clock_->now());
  if (count == 0) return count;
  return drop_segments(count, ages[count - 1].next_base);
}

Result<void> Log::delete_before(Offset offset) {
  if (offset > high_watermark()) {
    return Error(Errc::offset_out_of_range,
                 "cannot delete records before offset " + std::to_string(offset.value()) +
                     ": the log is readable up to " + std::to_string(high_watermark().value()))
        .with_offsets({log_start_offset(), high_watermark()});
  }
  // What is lost in a crash must not be below the start: its offsets would be given out again.
  if (offset > flushed_offset()) MILLRACE_CHECK(flush());
  const std::lock_guard cleaning(clean_mutex_);
  const std::lock_guard one_flush(flush_mutex_);
  {
    const std::lock_guard lock(mutex_);
    MILLRACE_CHECK(check_usable());
    if (offset > log_start_offset()) {
      MILLRACE_CHECK(announce_start(offset));
      epochs_.truncate_from_start(offset);
      epochs_dirty_ = true;
    }
  }
  LogOptions only_below_start = options();
  only_below_start.cleanup_delete = false;
  MILLRACE_TRY(const std::size_t dropped, drop_old_segments(only_below_start));
  static_cast<void>(dropped);
  return {};
}

Result<void> Log::truncate_to(Offset offset) {
  const std::lock_guard cleaning(clean_mutex_);
  const std::lock_guard one_flush(flush_mutex_);
  const std::lock_guard lock(mutex_);
  MILLRACE_CHECK(check_usable());
  offset = std::max(offset, log_start_offset());
  if (offset >= log_end_offset()) return {};
  auto list = *segments();
  const std::size_t keep = list->index_of(offset);
  MILLRACE_TRY(const FilePosition position, list->segments[keep]->find(offset));
  const auto batch = list->segments[keep]->batch_at(position.value());
  const Offset new_end = batch.size() != 0 ? std::min(batch.base_offset(), offset) : offset;
  auto done = cut(list->segments, keep, new_end);
  if (!done) return fail_locked(std::move(done).error());
  return {};
}

Result<void> Log::cut(std::vector<SegmentPtr> segments, std::size_t keep, Offset new_end) {
  // Nothing beyond the cut may be readable before it is gone, and no crash on the way may find the
  // mark of a clean close.
  ControlBlock& block = control_.block();
  const bool last_stays = keep + 1 == segments.size();
  const auto lower = [&](std::atomic<std::int64_t>& field) {
    field.store(std::min(field.load(), new_end.value()), std::memory_order_release);
  };
  leave_clean();
  lower(block.high_watermark);
  lower(block.flushed_offset);
  lower(block.log_start_offset);  // it may lie inside the batch that goes
  MILLRACE_CHECK(control_.sync());
  MILLRACE_TRY(const FilePosition position, segments[keep]->find(new_end));
  MILLRACE_TRY(const TimeEntry largest, largest_before(*segments[keep], position.value()));
  if (active_ && !last_stays) active_->retire();
  MILLRACE_CHECK(producers_.begin_truncation(new_end));
  MILLRACE_CHECK(remove_segments_after(segments, keep));  // syncs the directory
  if (!active_ || !last_stays) {
    const SegmentPtr old = segments[keep];
    MILLRACE_TRY(const std::uint64_t bytes, old->file_bytes());
    segments[keep] =
        std::make_shared<Segment>(directory_, old->base_offset(), SegmentMode::active, limits());
    MILLRACE_TRY(active_, ActiveSegment::resume(segments[keep], bytes, largest, options_));
  }
  // Killed from here on, the log is found to end at the cut: before the control file names a file
  // that holds no more than that.
  block.log_end_offset.store(new_end.value(), std::memory_order_release);
  publish_active();
  MILLRACE_CHECK(active_->truncate(position.value(), new_end, largest));
  flushed_position_ = position.value();
  epochs_.truncate_from_end(new_end);
  epochs_dirty_ = true;
  publish_epoch();
  publish_active();
  MILLRACE_CHECK(producers_.truncate(segments, new_end));
  producers_.show(high_watermark());
  replace_list(std::move(segments));
  return control_.sync();
}

Result<void> Log::remove_segments_after(std::vector<SegmentPtr>& segments, std::size_t keep) {
  for (std::size_t i = segments.size(); i-- > keep + 1;) {
    // A reader that opens it later could otherwise write indexes for a base that is used again.
    static_cast<void>(segments[i]->open());
    MILLRACE_CHECK(remove_segment_files(directory_, segments[i]->base_offset()));
  }
  const Offset base = segments[keep]->base_offset();
  std::erase_if(unsynced_,
                [&](const auto& sealed) { return sealed->segment()->base_offset() >= base; });
  std::erase_if(recovered_unsynced_,
                [&](const auto& segment) { return segment->base_offset() >= base; });
  segments.resize(keep + 1);
  return directory_->sync();
}

}  // namespace millrace::inline v0::storage
