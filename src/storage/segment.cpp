#include <algorithm>
#include <limits>
#include <millrace/core/assert.hpp>
#include <millrace/storage/batch_scan.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/index_builder.hpp>
#include <millrace/storage/segment.hpp>

#include "storage/published_end.hpp"

namespace millrace::inline v0::storage {
namespace {

std::size_t chunks_of(std::uint64_t bytes, std::uint64_t chunk) {
  return static_cast<std::size_t>((bytes + chunk - 1) / chunk);
}

}  // namespace

Segment::Segment(os::DirectoryPtr directory, Offset base, SegmentMode mode, Limits limits,
                 std::uint64_t end)
    : directory_(std::move(directory)), base_(base), mode_(mode), limits_(limits), end_(end) {
  MILLRACE_ASSERT(mode != SegmentMode::attached);  // needs its owner's block
}

Segment::Segment(os::DirectoryPtr directory, Offset base, std::shared_ptr<const ControlBlock> owner,
                 Limits limits)
    : directory_(std::move(directory)),
      base_(base),
      mode_(SegmentMode::attached),
      limits_(limits),
      owner_(std::move(owner)) {}

Result<void> Segment::open() {
  if (is_open()) return {};
  const std::lock_guard lock(open_mutex_);
  if (is_open()) return {};
  // An owner may exchange files while another process opens them: then the log and the indexes are
  // not of one time.
  constexpr int attempts = 16;
  for (int attempt = 1;; ++attempt) {
    MILLRACE_TRY(const bool consistent, open_files());
    if (consistent || attempt == attempts) break;
  }
  open_.store(true, std::memory_order_release);
  return {};
}

Result<bool> Segment::open_files() {
  const bool writable = mode_ == SegmentMode::active;
  MILLRACE_TRY(os::File file,
               directory_->open(file_name(base_, log_suffix),
                                writable ? os::OpenMode::read_write : os::OpenMode::read_only));
  MILLRACE_TRY(const std::uint64_t size, file.size());
  const bool grows = mode_ == SegmentMode::active || mode_ == SegmentMode::attached;
  std::uint64_t length = grows ? std::max(limits_.map_bytes, size) : size;
  if (mode_ == SegmentMode::resting) {
    length = end_.load();
    if (size < length) {
      return Error(Errc::corrupt_data, "opening " + file.path() + ": it has " +
                                           std::to_string(size) + " of " + std::to_string(length) +
                                           " bytes; something else cut it, reopen the log");
    }
  }
  if (length != 0) {
    MILLRACE_TRY(map_,
                 os::Mapping::map(file, length,
                                  writable ? os::MapMode::read_write : os::MapMode::read_only));
  }
  const std::size_t words = chunks_of(length, check_chunk_bytes * 64) + 1;
  readable_ = std::make_unique<std::atomic<std::uint64_t>[]>(words);
  if (mode_ == SegmentMode::sealed) end_.store(size, std::memory_order_release);
  MILLRACE_CHECK(open_indexes());
  if (mode_ != SegmentMode::attached) return true;
  file_end_.store(std::min(size, map_.length()));
  MILLRACE_TRY(const std::uint64_t end, published_end(file, size));
  end_.store(end, std::memory_order_release);
  MILLRACE_TRY(const os::File again,
               directory_->open(file_name(base_, log_suffix), os::OpenMode::read_only));
  MILLRACE_TRY(identity_, file.identity());
  MILLRACE_TRY(const os::FileIdentity now, again.identity());
  return identity_ == now;
}

Result<std::uint64_t> Segment::published_end(const os::File& file, std::uint64_t size) const {
  size = std::min(size, map_.length());
  const auto active_base = [&] { return Offset{owner_->active_base_offset.load()}; };
  if (active_base() == base_) {
    const std::uint64_t end = owner_->active_end.load();
    if (active_base() == base_) return std::min(end, size);
  }
  return find_published_end(file, indexed_ ? &offsets_ : nullptr, size);
}

Result<void> Segment::open_indexes() {
  const IndexMode mode = mode_ == SegmentMode::active   ? IndexMode::active
                         : mode_ == SegmentMode::sealed ? IndexMode::sealed
                                                        : IndexMode::attached;
  const bool complete = mode_ == SegmentMode::sealed || mode_ == SegmentMode::resting;
  const std::uint64_t offset_bytes = complete ? 0 : limits_.index_bytes;
  const std::uint64_t time_bytes = offset_bytes / OffsetIndex::entry_bytes * TimeIndex::entry_bytes;
  auto opened = [&]() -> Result<void> {
    MILLRACE_CHECK(offsets_.open(directory_, base_, mode, offset_bytes));
    MILLRACE_CHECK(times_.open(directory_, base_, mode, time_bytes));
    if (!complete) return {};
    MILLRACE_CHECK(offsets_.check(FilePosition{end()}));
    return times_.check();
  }();
  // An empty index that the machine lost before it was synced looks like one without entries.
  const bool lost = complete && opened && offsets_.file().count() == 0 && end() > check_chunk_bytes;
  indexed_ = opened.has_value() && !lost;
  if (indexed_ || mode_ == SegmentMode::active) return opened;
  if (complete) indexed_ = rebuild_indexes().has_value();
  return {};  // without indexes, lookups walk
}

Result<void> Segment::rebuild_indexes() {
  if (end() != 0) MILLRACE_CHECK(check_readable(0, end()));
  MILLRACE_CHECK(write_indexes(directory_, base_, Bytes(map_.data(), end())));
  MILLRACE_CHECK(offsets_.open(directory_, base_, IndexMode::sealed, 0));
  return times_.open(directory_, base_, IndexMode::sealed, 0);
}

Result<void> Segment::sync_files() {
  for (const auto suffix : {log_suffix, offset_index_suffix, time_index_suffix}) {
    const std::string name = file_name(base_, suffix);
    MILLRACE_TRY(const bool exists, directory_->exists(name));
    if (!exists && suffix != log_suffix) continue;
    MILLRACE_TRY(os::File file, directory_->open(name, os::OpenMode::read_write));
    MILLRACE_CHECK(file.sync());
  }
  return {};
}

Result<void> Segment::check_readable(std::uint64_t position, std::uint64_t length) {
  const std::uint64_t until = position + std::max<std::uint64_t>(length, 1);
  int attempts = 0;
  // Once for all that the owner reserves in one step, not for every batch.
  const bool has_grown = mode_ == SegmentMode::attached &&
                         std::min(until, end()) > file_end_.load(std::memory_order_relaxed);
  if (has_grown) MILLRACE_CHECK(refresh());
  for (std::uint64_t chunk = position / check_chunk_bytes; chunk * check_chunk_bytes < until;
       ++chunk) {
    const std::uint64_t bit = std::uint64_t{1} << (chunk % 64);
    if ((readable_[chunk / 64].load(std::memory_order_relaxed) & bit) != 0) continue;
    const std::uint64_t from = chunk * check_chunk_bytes;
    // What an owner has reserved ahead is looked at with the rest: then it need not be when it is
    // published.
    const std::uint64_t known = mode_ == SegmentMode::attached
                                    ? std::max(end(), file_end_.load(std::memory_order_relaxed))
                                    : end();
    const std::uint64_t to = std::min(from + check_chunk_bytes, known);
    if (to <= from) break;
    const std::uint64_t tail = readable_tail_.load(std::memory_order_relaxed);
    if (tail > from && tail <= from + check_chunk_bytes && std::min(until, to) <= tail) continue;
    if (auto faulted = map_.populate_read(from, to - from); !faulted) {
      // An owner that seals or closes gives spare blocks back: there may be less than there was.
      constexpr int most_attempts = 16;
      if (mode_ != SegmentMode::attached || ++attempts > most_attempts) return faulted;
      MILLRACE_CHECK(refresh());
      --chunk;
      continue;
    }
    // A chunk that still grows is looked at again when somebody reads beyond this.
    if (to == from + check_chunk_bytes) {
      readable_[chunk / 64].fetch_or(bit);
    } else {
      readable_tail_.store(to, std::memory_order_relaxed);
    }
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

void Segment::forget_readable(std::uint64_t position) noexcept {
  const std::uint64_t chunks = chunks_of(map_.length(), check_chunk_bytes);
  for (std::uint64_t chunk = position / check_chunk_bytes; chunk < chunks; ++chunk) {
    readable_[chunk / 64].fetch_and(~(std::uint64_t{1} << (chunk % 64)));
  }
  readable_tail_.store(0, std::memory_order_relaxed);
}

Result<void> Segment::refresh() {
  MILLRACE_CHECK(open());
  if (mode_ != SegmentMode::attached) return {};
  const std::lock_guard lock(open_mutex_);
  MILLRACE_TRY(os::File file,
               directory_->open(file_name(base_, log_suffix), os::OpenMode::read_only));
  MILLRACE_TRY(const os::FileIdentity identity, file.identity());
  if (identity != identity_) return {};  // exchanged: says nothing of the file that is mapped
  MILLRACE_TRY(const std::uint64_t size, file.size());
  const std::uint64_t file_end = std::min(size, map_.length());
  if (file_end < file_end_.load()) forget_readable(file_end);
  file_end_.store(file_end);
  if (indexed_) {
    MILLRACE_CHECK(offsets_.file().refresh());
    MILLRACE_CHECK(times_.file().refresh());
  }
  MILLRACE_TRY(const std::uint64_t end, published_end(file, size));
  end_.store(end, std::memory_order_release);
  return {};
}

record::BatchView Segment::batch_at(std::uint64_t position) const noexcept {
  const std::uint64_t limit = end();
  if (position >= limit) return {};
  return record::BatchView::try_parse(Bytes(data() + position, limit - position));
}

/// The walk to a record goes over those before it, load by load, and over pages at whose ends the
/// hardware stops looking ahead: asks for all the lines on the way at once. By the entries alone,
/// so a wrong guess costs a few lines.
void Segment::prefetch_way(std::size_t at, std::size_t count, Offset offset) const noexcept {
  constexpr std::uint64_t line = 64;
  constexpr std::uint64_t most_bytes = 16u << 10;
  const OffsetEntry entry = offsets_.entry(at);
  const Offset before = at == 0 ? base_ - 1 : offsets_.entry(at - 1).offset;
  const bool is_last = at + 1 >= count;
  const std::uint64_t limit = end();
  const std::uint64_t next = is_last ? limit : offsets_.entry(at + 1).position.value();
  const std::uint64_t begin = entry.position.value() + record::layout::header_bytes;
  if (next <= begin || next > limit || entry.offset <= before) return;
  const auto records = static_cast<std::uint64_t>(entry.offset - before);
  const std::uint64_t record_bytes = (next - begin) / records;
  const std::uint64_t way = record_bytes * static_cast<std::uint64_t>(offset - before - 1);
  const std::byte* const header = data() + entry.position.value();
  __builtin_prefetch(header);
  __builtin_prefetch(data() + next);  // whether this batch is in its place, its neighbour says
  const std::byte* const first = data() + begin;
  const std::byte* const wanted = first + std::min(way, most_bytes);
  const std::uint64_t step = record_bytes < 3 * line ? line : record_bytes;
  for (const std::byte* to = first; to < wanted; to += step) __builtin_prefetch(to);
  const std::byte* const wanted_end = wanted + std::min(record_bytes, most_bytes / 8) + line;
  for (const std::byte* to = wanted; to < wanted_end; to += line) __builtin_prefetch(to);
}

std::uint64_t Segment::find_indexed(Offset offset) {
  const auto starts_batch = [&](const OffsetEntry& entry, record::BatchView& batch) {
    const std::uint64_t position = entry.position.value();
    if (position >= end() || !check_readable(position, record::layout::header_bytes)) return false;
    batch = batch_at(position);
    // An entry that does not fit the log is damaged, or the file was exchanged since.
    return batch.size() != 0 && batch.last_offset() == entry.offset;
  };
  std::size_t at = offsets_.entries_below(offset);
  record::BatchView batch;
  // The batch of the next entry may start at or before `offset`: then no walk is needed.
  // Counted once: entries below a count that was right stay mapped.
  const std::size_t count = offsets_.file().count();
  if (at < count) {
    prefetch_way(at, count, offset);
    const OffsetEntry next = offsets_.entry(at);
    if (starts_batch(next, batch) && batch.base_offset() <= offset) return next.position.value();
  }
  while (at > 0) {
    const OffsetEntry below = offsets_.entry(--at);
    // Where an owner has cut the index, an attachment's map has zeros, which look as if below.
    if (below.offset < offset && starts_batch(below, batch)) return below.position.value();
  }
  return 0;
}

Result<Segment::Spot> Segment::find_spot(Offset offset) {
  MILLRACE_CHECK(open());
  std::uint64_t position = indexed_ ? find_indexed(offset) : 0;
  Offset expected = base_;
  while (position < end()) {
    MILLRACE_CHECK(check_readable(position, record::layout::header_bytes));
    const record::BatchView batch = batch_at(position);
    const bool in_order = batch.size() != 0 && batch.base_offset() >= expected;
    if (!in_order || batch.last_offset() >= offset) return Spot{FilePosition{position}, in_order};
    position += batch.size();
    expected = batch.next_offset();
  }
  return Spot{FilePosition{end()}, true};
}

Result<FilePosition> Segment::find(Offset offset) {
  MILLRACE_TRY(const Spot spot, find_spot(offset));
  return spot.position;
}

Result<TimeEntry> Segment::largest(Offset limit) {
  MILLRACE_CHECK(open());
  if (mode_ == SegmentMode::attached) MILLRACE_CHECK(refresh());  // it may have grown
  if (sealed_.load(std::memory_order_acquire)) return largest_;
  TimeEntry largest{Timestamp::none(), base_};
  std::uint64_t position = 0;
  if (const auto last = indexed_ ? times_.last() : std::nullopt) {
    // An index may be damaged, or cut short: its last entry counts if the log agrees, and is only
    // where the search begins.
    MILLRACE_TRY(const bool counts, agrees(*last));
    if (counts) {
      MILLRACE_TRY(const FilePosition from, find(last->offset));
      largest = *last;
      position = from.value();
    }
  }
  const bool all = mode_ == SegmentMode::sealed;
  while (position < end()) {
    MILLRACE_CHECK(check_readable(position, record::layout::header_bytes));
    const record::BatchView batch = batch_at(position);
    if (batch.size() == 0 && all) {  // damage: what is behind it counts, too
      MILLRACE_CHECK(check_readable(position, end() - position));
      const auto next = find_next_batch(Bytes(data(), end()), position, base_,
                                        Offset{std::numeric_limits<std::int64_t>::max()});
      if (!next) break;
      position = *next;
      continue;
    }
    if (batch.size() == 0 || (!all && batch.base_offset() >= limit)) break;
    if (batch.max_timestamp() > largest.timestamp) {
      largest = {batch.max_timestamp(), batch.last_offset()};
    }
    position += batch.size();
  }
  if (mode_ == SegmentMode::sealed) {
    const std::lock_guard lock(open_mutex_);
    if (!sealed_.load()) mark_sealed(largest);
  }
  return largest;
}

Result<bool> Segment::agrees(const TimeEntry& entry) {
  MILLRACE_TRY(const FilePosition position, find(entry.offset));
  const record::BatchView batch = batch_at(position.value());
  return batch.size() != 0 && batch.last_offset() == entry.offset &&
         batch.max_timestamp() == entry.timestamp;
}

Offset Segment::known_older(Timestamp time) {
  // An index may be damaged: an entry counts if the log agrees with it.
  for (std::size_t n = indexed_ ? times_.entries_below(time) : 0; n > 0; --n) {
    const TimeEntry entry = times_.entry(n - 1);
    if (entry.timestamp < time && agrees(entry).value_or(false)) return entry.offset;
  }
  return base_ - 1;
}

Result<std::uint64_t> Segment::file_bytes() const {
  if (mode_ == SegmentMode::active || mode_ == SegmentMode::resting || is_open()) return end();
  MILLRACE_TRY(os::File file,
               directory_->open(file_name(base_, log_suffix), os::OpenMode::read_only));
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
