#include <millrace/storage/segment.hpp>

#include <algorithm>

#include <millrace/storage/file_names.hpp>
#include <millrace/storage/index_builder.hpp>

namespace millrace::inline v0::storage {
namespace {

std::size_t chunks_of(std::uint64_t bytes, std::uint64_t chunk) {
  return static_cast<std::size_t>((bytes + chunk - 1) / chunk);
}

}  // namespace

Segment::Segment(os::DirectoryPtr directory, Offset base, SegmentMode mode, Limits limits)
    : directory_(std::move(directory)), base_(base), mode_(mode), limits_(limits) {
  sealed_ = mode == SegmentMode::sealed;
}

Result<void> Segment::open() {
  if (is_open()) return {};
  const std::lock_guard lock(open_mutex_);
  if (is_open()) return {};
  const bool writable = mode_ == SegmentMode::active;
  MILLRACE_TRY(os::File file, directory_->open(file_name(base_, log_suffix),
                                               writable ? os::OpenMode::read_write
                                                        : os::OpenMode::read_only));
  MILLRACE_TRY(const std::uint64_t size, file.size());
  const std::uint64_t length =
      mode_ == SegmentMode::sealed ? size : std::max(limits_.map_bytes, size);
  if (length != 0) {
    MILLRACE_TRY(map_, os::Mapping::map(file, length, writable ? os::MapMode::read_write
                                                               : os::MapMode::read_only));
  }
  const std::size_t words = chunks_of(length, check_chunk_bytes * 64) + 1;
  readable_ = std::make_unique<std::atomic<std::uint64_t>[]>(words);
  if (mode_ != SegmentMode::active) end_.store(size, std::memory_order_release);
  MILLRACE_CHECK(open_indexes(size));
  open_.store(true, std::memory_order_release);
  return {};
}

Result<void> Segment::open_indexes(std::uint64_t log_bytes) {
  const IndexMode mode = mode_ == SegmentMode::active     ? IndexMode::active
                         : mode_ == SegmentMode::attached ? IndexMode::attached
                                                          : IndexMode::sealed;
  const std::uint64_t time_bytes = limits_.index_bytes / OffsetIndex::entry_bytes *
                                   TimeIndex::entry_bytes;
  auto opened = [&]() -> Result<void> {
    MILLRACE_CHECK(offsets_.open(directory_, base_, mode, limits_.index_bytes));
    MILLRACE_CHECK(times_.open(directory_, base_, mode, time_bytes));
    if (mode_ != SegmentMode::sealed) return {};
    MILLRACE_CHECK(offsets_.check(FilePosition{log_bytes}));
    return times_.check();
  }();
  indexed_ = opened.has_value();
  if (opened || mode_ == SegmentMode::active) return opened;
  if (mode_ == SegmentMode::sealed) indexed_ = rebuild_indexes().has_value();
  return {};  // without indexes, lookups walk
}

Result<void> Segment::rebuild_indexes() {
  const std::uint64_t end = end_.load();
  if (end != 0) MILLRACE_CHECK(check_readable(0, end));
  MILLRACE_CHECK(write_indexes(directory_, base_, Bytes(map_.data(), end)));
  MILLRACE_CHECK(offsets_.open(directory_, base_, IndexMode::sealed, 0));
  return times_.open(directory_, base_, IndexMode::sealed, 0);
}

Result<void> Segment::check_readable(std::uint64_t position, std::uint64_t length) {
  const std::uint64_t last =
      (position + std::max<std::uint64_t>(length, 1) - 1) / check_chunk_bytes;
  for (std::uint64_t chunk = position / check_chunk_bytes; chunk <= last; ++chunk) {
    const std::uint64_t bit = std::uint64_t{1} << (chunk % 64);
    if ((readable_[chunk / 64].load(std::memory_order_relaxed) & bit) != 0) continue;
    const std::uint64_t from = chunk * check_chunk_bytes;
    const std::uint64_t to = std::min(from + check_chunk_bytes, end());
    if (to <= from) break;
    MILLRACE_CHECK(map_.populate_read(from, to - from));
    // A chunk that is still being written is looked at again until it is full.
    if (to == from + check_chunk_bytes) readable_[chunk / 64].fetch_or(bit);
  }
  return {};
}

void Segment::mark_readable(std::uint64_t position, std::uint64_t length) noexcept {
  const std::uint64_t first = position / check_chunk_bytes;
  const std::uint64_t last = (position + length + check_chunk_bytes - 1) / check_chunk_bytes;
  for (std::uint64_t chunk = first; chunk < last; ++chunk) {
    readable_[chunk / 64].fetch_or(std::uint64_t{1} << (chunk % 64));
  }
}

Result<void> Segment::refresh() {
  MILLRACE_CHECK(open());
  if (mode_ != SegmentMode::attached) return {};
  const std::lock_guard lock(open_mutex_);
  MILLRACE_TRY(os::File file, directory_->open(file_name(base_, log_suffix),
                                               os::OpenMode::read_only));
  MILLRACE_TRY(const std::uint64_t size, file.size());
  end_.store(std::min(size, map_.length()), std::memory_order_release);
  if (!indexed_) return {};
  MILLRACE_CHECK(offsets_.file().refresh());
  return times_.file().refresh();
}

record::BatchView Segment::batch_at(std::uint64_t position) const noexcept {
  const std::uint64_t limit = end();
  if (position >= limit) return {};
  return record::BatchView::try_parse(Bytes(data() + position, limit - position));
}

Result<FilePosition> Segment::find(Offset offset) {
  MILLRACE_CHECK(open());
  std::uint64_t position = 0;
  if (indexed_) {
    const std::size_t at = offsets_.entries_below(offset);
    // The batch at the next entry may start at or before `offset`: then no walk is needed.
    if (at < offsets_.file().count()) {
      const std::uint64_t next = offsets_.entry(at).position.value();
      MILLRACE_CHECK(check_readable(next, record::layout::header_bytes));
      const record::BatchView batch = batch_at(next);
      if (batch.size() != 0 && batch.base_offset() <= offset) return FilePosition{next};
    }
    if (at > 0) position = offsets_.entry(at - 1).position.value();
  }
  while (position < end()) {
    MILLRACE_CHECK(check_readable(position, record::layout::header_bytes));
    const record::BatchView batch = batch_at(position);
    if (batch.size() == 0 || batch.last_offset() >= offset) return FilePosition{position};
    position += batch.size();
  }
  return FilePosition{end()};
}

Result<Timestamp> Segment::largest_timestamp() {
  MILLRACE_CHECK(open());
  Timestamp largest = Timestamp::none();
  std::uint64_t position = 0;
  if (indexed_) {
    if (const auto last = times_.last()) {
      if (sealed_.load(std::memory_order_acquire) && mode_ != SegmentMode::attached) {
        return last->timestamp;
      }
      largest = last->timestamp;
      MILLRACE_TRY(const FilePosition from, find(last->offset));
      position = from.value();
    }
  }
  while (position < end()) {
    MILLRACE_CHECK(check_readable(position, record::layout::header_bytes));
    const record::BatchView batch = batch_at(position);
    if (batch.size() == 0) break;
    largest = std::max(largest, batch.max_timestamp());
    position += batch.size();
  }
  return largest;
}

Result<std::uint64_t> Segment::file_bytes() const {
  if (mode_ == SegmentMode::active || is_open()) return end();
  MILLRACE_TRY(os::File file, directory_->open(file_name(base_, log_suffix),
                                               os::OpenMode::read_only));
  return file.size();
}

std::size_t SegmentList::index_of(Offset offset) const noexcept {
  const auto after = std::upper_bound(
      segments.begin(), segments.end(), offset,
      [](Offset value, const SegmentPtr& segment) { return value < segment->base_offset(); });
  if (after == segments.begin()) return 0;
  return static_cast<std::size_t>(after - segments.begin()) - 1;
}

}  // namespace millrace::inline v0::storage
