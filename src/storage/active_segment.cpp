#include <millrace/storage/active_segment.hpp>

#include <algorithm>
#include <limits>

#include <millrace/core/assert.hpp>
#include <millrace/storage/file_names.hpp>

namespace millrace::inline v0::storage {
namespace {

// Sizes of the writes that zero blocks. A mapped store dirties a whole page-cache folio, as large
// as the write that made it; a pwrite dirties only its blocks and is faster in large folios.
constexpr std::size_t mapped_zero_piece = 64u << 10;
constexpr std::size_t write_zero_piece = 1u << 20;

Segment::Limits limits_of(const LogOptions& options) {
  return {options.segment_bytes, options.segment_index_bytes};
}

}  // namespace

ActiveSegment::ActiveSegment(SegmentPtr segment, const LogOptions& options)
    : options_(options),
      segment_(std::move(segment)),
      policy_(options.index_interval_bytes),
      step_(options.preallocate ? options.segment_bytes : min_reserve_step) {}

Result<std::unique_ptr<ActiveSegment>> ActiveSegment::create(const os::DirectoryPtr& directory,
                                                             Offset base,
                                                             const LogOptions& options) {
  MILLRACE_TRY(const bool exists, directory->exists(file_name(base, log_suffix)));
  if (exists) MILLRACE_CHECK(directory->remove(file_name(base, log_suffix)));
  MILLRACE_CHECK(directory->remove(file_name(base, offset_index_suffix)));
  MILLRACE_CHECK(directory->remove(file_name(base, time_index_suffix)));
  {
    MILLRACE_TRY(os::File created, directory->open(file_name(base, log_suffix),
                                                   os::OpenMode::create));
    static_cast<void>(created);
  }
  auto segment = std::make_shared<Segment>(directory, base, SegmentMode::active,
                                           limits_of(options));
  std::unique_ptr<ActiveSegment> active(new ActiveSegment(std::move(segment), options));
  MILLRACE_CHECK(active->open(0));
  return active;
}

Result<std::unique_ptr<ActiveSegment>> ActiveSegment::resume(SegmentPtr segment, std::uint64_t end,
                                                             TimeEntry largest,
                                                             const LogOptions& options) {
  std::unique_ptr<ActiveSegment> active(new ActiveSegment(std::move(segment), options));
  MILLRACE_CHECK(active->open(end));
  active->policy_.reset(largest);
  if (end > 0) {
    const auto first = active->segment_->batch_at(0);
    if (first.size() != 0) active->first_time_ = first.max_timestamp();
  }
  return active;
}

Result<void> ActiveSegment::open(std::uint64_t end) {
  MILLRACE_TRY(file_, segment_->directory()->open(file_name(segment_->base_offset(), log_suffix),
                                                  os::OpenMode::read_write));
  MILLRACE_TRY(const std::uint64_t size, file_.size());
  MILLRACE_CHECK(segment_->open());
  map_ = segment_->map_.data();
  segment_->end_.store(end, std::memory_order_release);
  // What lies between the end and the file's size was reserved and is zero, but on the mapped path
  // it must be backed by pages before it is stored to.
  std::uint64_t usable = std::min(size, options_.segment_bytes);
  if (usable > end && options_.write_path == WritePath::mapped) {
    const bool backed = segment_->map_.populate_write(end, usable - end).has_value();
    if (!backed) usable = end;
  }
  reserved_.store(std::max(usable, end));
  if (!options_.preallocate) {
    step_ = std::clamp(std::max(end, usable), min_reserve_step, max_reserve_step);
  }
  const std::size_t entries = usable / options_.index_interval_bytes + 2;
  if (usable > 0) {  // opening must work on a full disk: entries without room are left out
    static_cast<void>(segment_->offsets_.file().reserve(entries));
    static_cast<void>(segment_->times_.file().reserve(entries));
  }
  return {};
}

bool ActiveSegment::must_roll(std::size_t batch_bytes, Offset last_offset,
                              Timestamp time) const noexcept {
  if (end() == 0) return false;
  if (end() + batch_bytes > options_.segment_bytes) return true;
  if (first_time_ != Timestamp::none() && time - first_time_ > options_.segment_ms) return true;
  const IndexFile& offsets = segment_->offset_index().file();
  const IndexFile& times = segment_->time_index().file();
  if (offsets.count() >= offsets.limit() || times.count() + 1 >= times.limit()) return true;
  return last_offset - segment_->base_offset() > std::numeric_limits<std::int32_t>::max();
}

Result<void> ActiveSegment::make_room(std::size_t bytes) {
  if (end() + bytes <= reserved_.load(std::memory_order_acquire)) [[likely]] return {};
  const std::lock_guard lock(grow_mutex_);
  const std::uint64_t needed = end() + bytes;
  if (needed <= reserved_.load(std::memory_order_relaxed)) return {};
  return grow(needed - reserved_.load(std::memory_order_relaxed));
}

Result<void> ActiveSegment::prepare() {
  const std::lock_guard lock(grow_mutex_);
  if (!wants_room()) return {};
  return grow(1);
}

Result<void> ActiveSegment::grow(std::uint64_t bytes) {
  const std::uint64_t from = reserved_.load(std::memory_order_relaxed);
  const std::uint64_t to =
      std::max(from + bytes, std::min(from + std::max(step_, bytes), options_.segment_bytes));
  auto reserve = [&](std::uint64_t until) -> Result<void> {
    const std::size_t entries = until / options_.index_interval_bytes + 2;
    MILLRACE_CHECK(segment_->offsets_.file().reserve(entries));
    MILLRACE_CHECK(segment_->times_.file().reserve(entries));
    MILLRACE_CHECK(file_.reserve(from, until - from));
    const bool mapped = options_.write_path == WritePath::mapped;
    MILLRACE_CHECK(
        file_.write_zeros(from, until - from, mapped ? mapped_zero_piece : write_zero_piece));
    if (mapped) MILLRACE_CHECK(segment_->map_.populate_write(from, until - from));
    segment_->mark_readable(from, until - from);
    reserved_.store(until, std::memory_order_release);
    return {};
  };
  if (auto done = reserve(to); !done) {
    // On a nearly full disk a smaller step may still fit.
    const std::uint64_t least = std::min((from + bytes + 4095) / 4096 * 4096, to);
    if (done.error().code() != Errc::no_space || least == to) return done;
    MILLRACE_CHECK(reserve(least));
  }
  step_ = std::clamp(reserved_.load(), min_reserve_step, max_reserve_step);
  return {};
}

Result<void> ActiveSegment::store(Bytes batch, bool in_place) {
  if (options_.write_path == WritePath::mapped) {
    if (!in_place) std::memcpy(tail(), batch.data(), batch.size());
    return {};
  }
  auto written = file_.write_at(batch, end());
  if (!written) {
    // Take back the part that may have been written; recovery would refuse it, but zeros are clean.
    static_cast<void>(file_.write_zeros(end(), batch.size(), batch.size()));
  }
  return written;
}

void ActiveSegment::commit(const record::BatchView& batch) noexcept {
  const std::uint64_t position = end();
  if (position == 0) first_time_ = batch.max_timestamp();
  if (policy_.add(batch)) {
    append_index_entries(segment_->offsets_, segment_->times_, batch, position, policy_.largest());
  }
  segment_->end_.store(position + batch.size(), std::memory_order_release);
}

Result<void> ActiveSegment::sync(std::uint64_t from, std::uint64_t to) {
  if (options_.write_path == WritePath::mapped) return segment_->map_.sync(from, to - from);
  return file_.sync();
}

Result<void> ActiveSegment::seal() {
  const std::lock_guard lock(grow_mutex_);
  sealed_.store(true);
  IndexFile& times = segment_->times_.file();
  static_cast<void>(times.reserve(times.count() + 1));
  if (policy_.largest().timestamp != Timestamp::none() && times.count() < times.capacity()) {
    segment_->times_.append(policy_.largest());
  }
  MILLRACE_CHECK(file_.resize(end()));
  MILLRACE_CHECK(segment_->offsets_.file().seal(false));
  MILLRACE_CHECK(segment_->times_.file().seal(false));
  reserved_.store(end());
  segment_->mark_sealed();
  return {};
}

Result<void> ActiveSegment::sync_sealed() {
  MILLRACE_CHECK(file_.sync());
  MILLRACE_CHECK(segment_->offsets_.file().seal(true));
  return segment_->times_.file().seal(true);
}

Result<void> ActiveSegment::truncate(std::uint64_t position, Offset next_offset,
                                     TimeEntry largest) {
  MILLRACE_ASSERT(position <= end());
  const std::uint64_t old_end = end();
  segment_->end_.store(position, std::memory_order_release);
  MILLRACE_CHECK(segment_->offsets_.file().truncate(segment_->offsets_.entries_below(next_offset)));
  std::size_t times = segment_->times_.file().count();
  while (times > 0 && segment_->times_.entry(times - 1).offset >= next_offset) --times;
  MILLRACE_CHECK(segment_->times_.file().truncate(times));
  policy_.reset(largest);
  MILLRACE_CHECK(file_.write_zeros(position, old_end - position, mapped_zero_piece));
  return file_.sync();
}

}  // namespace millrace::inline v0::storage
