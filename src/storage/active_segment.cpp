#include <algorithm>
#include <millrace/core/assert.hpp>
#include <millrace/storage/active_segment.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/tidy.hpp>

namespace millrace::inline v0::storage {
namespace {

// Sizes of the writes that zero blocks. A mapped store dirties a whole page-cache folio, as large
// as the write that made it; a pwrite dirties only its blocks and is faster in large folios.
constexpr std::size_t mapped_zero_piece = 16u << 10;
/// Fewer bytes are synced sooner than their pages are dropped and faulted in again.
constexpr std::uint64_t least_dropped_bytes = 32u << 10;
constexpr std::size_t write_zero_piece = 1u << 20;

Segment::Limits limits_of(const LogOptions& options) {
  return {options.segment_bytes, options.segment_index_bytes};
}

}  // namespace

ActiveSegment::ActiveSegment(SegmentPtr segment, const LogOptions& options)
    : options_(options),
      segment_(std::move(segment)),
      base_(segment_->base_offset()),
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
    MILLRACE_TRY(os::File created,
                 directory->open(file_name(base, log_suffix), os::OpenMode::create));
    static_cast<void>(created);
  }
  auto segment =
      std::make_shared<Segment>(directory, base, SegmentMode::active, limits_of(options));
  std::unique_ptr<ActiveSegment> active(new ActiveSegment(std::move(segment), options));
  if (auto opened = active->open(0); !opened) {
    static_cast<void>(remove_segment_files(directory, base));
    return std::move(opened).error();
  }
  return active;
}

Result<std::unique_ptr<ActiveSegment>> ActiveSegment::resume(SegmentPtr segment, std::uint64_t end,
                                                             TimeEntry largest,
                                                             const LogOptions& options) {
  std::unique_ptr<ActiveSegment> active(new ActiveSegment(std::move(segment), options));
  MILLRACE_CHECK(active->open(end));
  active->policy_.reset(largest);
  if (end > 0) {
    MILLRACE_CHECK(active->segment_->check_readable(0, record::layout::header_bytes));
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
  // Readers find the chunk that grows marked, so that they look at its bits and not at its pages.
  const std::uint64_t chunk = end / Segment::check_chunk_bytes * Segment::check_chunk_bytes;
  MILLRACE_CHECK(segment_->map_.populate_read(chunk, end - chunk));
  segment_->mark_readable(chunk, 1);
  // What lies between the end and the file's size was reserved and is zero, but on the mapped path
  // it must be backed by pages before it is stored to.
  const std::uint64_t wanted = end + min_reserve_step;
  std::uint64_t usable = std::max(end, std::min({size, options_.segment_bytes, wanted}));
  if (usable > end && options_.write_path == WritePath::mapped) {
    const bool backed = segment_->map_.populate_write(end, usable - end).has_value();
    if (!backed) usable = end;
  }
  segment_->mark_readable(end, usable - end);
  reserved_.store(usable);
  if (!options_.preallocate) step_ = std::clamp(usable, min_reserve_step, max_reserve_step);
  if (usable > 0) {  // opening must work on a full disk: entries without room are left out
    const std::size_t entries = index_entries_for(usable, options_.index_interval_bytes);
    static_cast<void>(segment_->offsets_.file().reserve(entries));
    static_cast<void>(segment_->times_.file().reserve(entries));
  }
  note_index_sizes();
  return {};
}

void ActiveSegment::set_options(const LogOptions& options) {
  const std::lock_guard lock(grow_mutex_);
  const WritePath path = options_.write_path;  // the files were laid out for it
  options_ = options;
  options_.write_path = path;
  options_.segment_bytes = std::min(options.segment_bytes, segment_->map_.length());
  policy_.set_interval(options.index_interval_bytes);
}

void ActiveSegment::note_index_sizes() noexcept {
  const IndexFile& offsets = segment_->offset_index().file();
  const IndexFile& times = segment_->time_index().file();
  indexes_full_ = offsets.count() >= offsets.limit() || times.count() + 1 >= times.limit();
}

void ActiveSegment::index(const record::BatchView& batch, std::uint64_t position) noexcept {
  append_index_entries(segment_->offsets_, segment_->times_, batch, position, policy_.largest());
  note_index_sizes();
}

Result<void> ActiveSegment::make_more_room(std::size_t bytes) {
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
  const std::uint64_t to = std::max(
      from + bytes, std::min(from + std::max(step_.load(), bytes), options_.segment_bytes));
  if (auto done = reserve(from, to); !done) {
    // On a nearly full disk a smaller step may still fit.
    const std::uint64_t least = std::min((from + bytes + 4095) / 4096 * 4096, to);
    if (done.error().code() != Errc::no_space || least == to) return done;
    MILLRACE_CHECK(reserve(from, least));
  }
  step_ = std::clamp(reserved_.load(), min_reserve_step, max_reserve_step);
  return {};
}

Result<void> ActiveSegment::reserve(std::uint64_t from, std::uint64_t until) {
  const std::size_t entries = index_entries_for(until, options_.index_interval_bytes);
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
}

Result<void> ActiveSegment::store(Bytes batch, bool in_place) {
  if (options_.write_path == WritePath::mapped) {
    if (!in_place) std::memcpy(tail(), batch.data(), batch.size());
    return {};
  }
  return file_.write_at(batch, end());
}

Result<void> ActiveSegment::take_back(std::size_t bytes) {
  return file_.write_zeros(end(), bytes, bytes);
}

Result<void> ActiveSegment::sync(std::uint64_t from, std::uint64_t to) {
  if (options_.write_path == WritePath::mapped) {
    if (to - from >= least_dropped_bytes) segment_->map_.drop_pages(from, to - from);
    return segment_->map_.sync(from, to - from);
  }
  return file_.sync();
}

void ActiveSegment::seal() {
  const std::lock_guard lock(grow_mutex_);
  sealed_.store(true);
  IndexFile& times = segment_->times_.file();
  static_cast<void>(times.reserve(times.count() + 1));
  const TimeEntry largest = policy_.largest();
  const auto last = segment_->times_.last();
  times_complete_ = largest.timestamp <= (last ? last->timestamp : Timestamp::none());
  if (!times_complete_ && times.count() < times.capacity()) {
    segment_->times_.append(largest);
    times_complete_ = true;
  }
  segment_->mark_sealed(largest);
  reserved_.store(end());
  // What fails here is done again, and counts, when the files are synced.
  static_cast<void>(trim(false));
}

Result<void> ActiveSegment::trim(bool sync) {
  // What was published once may still be looked at: its zeros stay.
  MILLRACE_CHECK(file_.resize(std::max(end(), shown_end_)));
  if (sync) MILLRACE_CHECK(file_.sync());
  MILLRACE_CHECK(segment_->offsets_.file().seal(sync));
  if (times_complete_) return segment_->times_.file().seal(sync);
  // Without its last entry it would lie: it is rebuilt when the segment is opened again.
  return segment_->directory()->remove(file_name(segment_->base_offset(), time_index_suffix));
}

void ActiveSegment::retire() {
  const std::lock_guard lock(grow_mutex_);
  sealed_.store(true);
}

Result<void> ActiveSegment::sync_sealed() {
  // Else the system takes the right to write from page after page, each time telling all
  // processors.
  if (options_.write_path == WritePath::mapped) segment_->map_.drop_pages(0, end());
  return trim(true);
}

Result<void> ActiveSegment::truncate(std::uint64_t position, Offset next_offset,
                                     TimeEntry largest) {
  MILLRACE_ASSERT(position <= end());
  const std::uint64_t old_end = end();
  shown_end_ = std::max(shown_end_, old_end);
  segment_->end_.store(position, std::memory_order_release);
  MILLRACE_CHECK(segment_->offsets_.file().truncate(segment_->offsets_.entries_below(next_offset)));
  std::size_t times = segment_->times_.file().count();
  while (times > 0 && segment_->times_.entry(times - 1).offset >= next_offset) --times;
  MILLRACE_CHECK(segment_->times_.file().truncate(times));
  note_index_sizes();
  policy_.reset(largest);
  MILLRACE_CHECK(file_.write_zeros(position, old_end - position, mapped_zero_piece));
  if (options_.write_path == WritePath::mapped) {
    // A flush may have dropped these pages: they are backed again before the next store.
    const std::lock_guard lock(grow_mutex_);
    reserved_.store(position);
  }
  return file_.sync();
}

}  // namespace millrace::inline v0::storage
