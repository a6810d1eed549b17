#include <algorithm>
#include <limits>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/log_cursor.hpp>
#include <millrace/storage/recovery.hpp>

namespace millrace::inline v0::storage {
namespace {

constexpr Offset no_next{std::numeric_limits<std::int64_t>::max()};

Offset offset_in(const std::atomic<std::int64_t>& field) {
  return Offset{field.load(std::memory_order_acquire)};
}

Error out_of_range(Offset offset, Offset start, Offset limit) {
  return Error(Errc::offset_out_of_range,
               "offset " + std::to_string(offset.value()) + " is outside [" +
                   std::to_string(start.value()) + ", " + std::to_string(limit.value()) +
                   "]; seek to an offset inside, or set auto_offset_reset")
      .with_offsets({start, limit});
}

Error damaged(const Segment& segment, std::uint64_t position, OffsetRange offsets) {
  return Error(Errc::corrupt_data,
               "segment " + file_name(segment.base_offset(), log_suffix) + " of " +
                   segment.directory()->path() + " is damaged at byte " + std::to_string(position) +
                   ": offsets [" + std::to_string(offsets.begin.value()) + ", " +
                   std::to_string(offsets.end.value()) +
                   ") cannot be read; seek past them to go on; millrace log verify tells more")
      .with_offsets(offsets);
}

}  // namespace

void LogCursor::seek(Offset offset) noexcept {
  if (offset == offset_) return;
  offset_ = offset;
  segment_.reset();
}

Result<void> LogCursor::enter(const SegmentListPtr& list) {
  if (list->segments.empty()) {
    return Error(Errc::corrupt_data, "no segment holds offset " + std::to_string(offset_.value()));
  }
  const std::size_t index = list->index_of(offset_);
  generation_ = list->generation;
  segment_ = list->segments[index];
  next_base_ =
      index + 1 < list->segments.size() ? list->segments[index + 1]->base_offset() : no_next;
  MILLRACE_TRY(const Segment::Spot spot, segment_->find_spot(offset_));
  position_ = spot.position.value();
  expected_ = spot.in_order ? Offset{0} : no_next;
  vouched_.reset();
  return {};
}

Result<void> LogCursor::locate() {
  const std::uint64_t generation =
      source_->control().segments_generation.load(std::memory_order_acquire);
  if (segment_) segment_->follow();
  if (segment_ && generation_ == generation && offset_ < next_base_) [[likely]]
    return {};
  MILLRACE_TRY(const SegmentListPtr list, source_->segments());
  if (segment_ && !list->segments.empty()) {
    const std::size_t index = list->index_of(offset_);
    if (list->segments[index] == segment_) {
      generation_ = list->generation;
      next_base_ =
          index + 1 < list->segments.size() ? list->segments[index + 1]->base_offset() : no_next;
      return {};
    }
  }
  return enter(list);
}

/// Whether a batch claims offsets of the one before or behind it, of the next segment or behind the
/// log's end: its base offset is not under its CRC.
bool LogCursor::is_misplaced(const record::BatchView& batch) const {
  const Offset end = std::min(offset_in(source_->control().log_end_offset), next_base_);
  if (batch.base_offset() < expected_ || batch.next_offset() > end) return true;
  // What is not published yet may be half written.
  if (batch.next_offset() == end) return false;
  const std::uint64_t after = position_ + batch.size();
  if (!segment_->check_readable(after, record::layout::header_bytes)) return false;
  const record::BatchView next = segment_->batch_at(after);
  return next.size() != 0 && next.base_offset() < batch.next_offset();
}

Result<Chunk> LogCursor::collect(Offset limit, const ReadOptions& options, bool& blocked) {
  Chunk chunk{segment_, {}, offset_, offset_};
  const Offset stop = std::min(limit, next_base_);
  std::uint64_t from = position_;
  while (offset_ < stop) {
    MILLRACE_CHECK(segment_->check_readable(position_, record::layout::header_bytes));
    const record::BatchView batch = segment_->batch_at(position_);
    if (batch.size() == 0) break;
    if (batch.last_offset() < offset_ && batch.base_offset() >= expected_) {
      position_ += batch.size();  // an index entry below led here
      from = position_;
      continue;
    }
    // No good batch reaches into what follows it: a damaged one must not look unfinished.
    const bool misplaced = vouched_ != position_ && is_misplaced(batch);
    blocked = batch.last_offset() >= limit && !misplaced;
    const bool is_first = chunk.end == chunk.begin;
    if (blocked || misplaced || (!is_first && position_ + batch.size() - from > options.max_bytes))
      break;
    MILLRACE_CHECK(segment_->check_readable(position_, batch.size()));
    const bool gap = batch.base_offset() > offset_ && source_->control().compacted.load() == 0;
    if (gap || (options.check_crc && !batch.crc_matches())) break;
    position_ += batch.size();
    offset_ = expected_ = chunk.end = batch.next_offset();
  }
  if (chunk.end != chunk.begin) {
    chunk.bytes = Bytes(segment_->data() + from, position_ - from);
    const std::uint64_t end = segment_->end();
    chunk.bytes_behind = end - std::min(end, position_);
  }
  return chunk;
}

Result<bool> LogCursor::at_segment_end() const {
  if (offset_ >= next_base_) return true;
  // In a compacted log the last offsets of a segment may be gone.
  if (next_base_ == no_next || source_->control().compacted.load() == 0) return false;
  MILLRACE_CHECK(segment_->refresh());
  return only_zeros_left();
}

/// Whether nothing but zeros stands behind what was read of the segment.
Result<bool> LogCursor::only_zeros_left() const {
  MILLRACE_CHECK(segment_->check_readable(position_, record::layout::header_bytes));
  const std::uint64_t end = segment_->end();
  const auto length =
      std::min<std::uint64_t>(end - std::min(position_, end), record::layout::header_bytes);
  const Bytes rest(segment_->data() + position_, length);
  return std::all_of(rest.begin(), rest.end(), [](std::byte b) { return b == std::byte{0}; });
}

Result<bool> LogCursor::step_over_damage(Offset limit) {
  const std::uint64_t end = segment_->end();
  Offset resume = std::min(limit, next_base_);
  if (source_->control().compacted.load() != 0) {
    // A truncation that cut off the last batch behind a hole leaves the log's end in the hole.
    MILLRACE_TRY(const bool nothing_left, only_zeros_left());
    if (nothing_left) return offset_ = resume, true;
  }
  std::uint64_t damaged_at = position_;
  if (end > 0 && segment_->check_readable(0, end)) {
    // From the first batch on: a damaged length may have led here past good ones.
    BatchScan scan(Bytes(segment_->data(), end), segment_->base_offset(), resume);
    for (auto step = scan.next(); step != BatchScan::Step::end; step = scan.next()) {
      if (step == BatchScan::Step::damage) damaged_at = scan.position();
      if (step == BatchScan::Step::damage || scan.batch().next_offset() <= offset_) continue;
      if (scan.batch().base_offset() <= offset_) {
        position_ = scan.position();
        vouched_ = position_;
        expected_ = scan.batch().base_offset();
        return true;
      }
      resume = scan.batch().base_offset();
      break;
    }
  }
  return damaged(*segment_, damaged_at, {offset_, resume});
}

Result<Chunk> LogCursor::attempt(Offset limit, const ReadOptions& options) {
  for (;;) {
    MILLRACE_CHECK(locate());
    bool blocked = false;
    auto chunk = collect(limit, options, blocked);
    if (!chunk || !chunk->empty() || blocked) return chunk;
    const std::uint64_t before = segment_->end();
    MILLRACE_TRY(const bool ended, at_segment_end());
    if (ended) {
      offset_ = std::max(offset_, next_base_);
      segment_.reset();
      if (offset_ >= limit) return Chunk{nullptr, {}, offset_, offset_};
      continue;
    }
    if (segment_->mode() == SegmentMode::attached) {
      MILLRACE_CHECK(segment_->refresh());
      if (segment_->end() != before) {
        // What was not in order may only have been cut off by the old end.
        if (expected_ == no_next) segment_.reset();
        continue;
      }
    }
    MILLRACE_TRY(const bool goes_on, step_over_damage(limit));
    if (goes_on && offset_ >= limit) return Chunk{nullptr, {}, offset_, offset_};
  }
}

Result<Chunk> LogCursor::read(Offset limit, const ReadOptions& options) {
  const ControlBlock& control = source_->control();
  for (;;) {
    const std::uint64_t generation = control.segments_generation.load(std::memory_order_acquire);
    const Offset start = offset_in(control.log_start_offset);
    if (offset_ < start || offset_ > limit) return out_of_range(offset_, start, limit);
    if (offset_ == limit) return Chunk{nullptr, {}, offset_, offset_};
    auto chunk = attempt(limit, options);
    if (chunk) return chunk;
    // Retention, compaction or truncation may have taken away what was being read.
    segment_.reset();
    const Offset end = offset_in(control.log_end_offset);
    const bool changed = end < limit || start != offset_in(control.log_start_offset) ||
                         generation != control.segments_generation.load(std::memory_order_acquire);
    if (!changed) return chunk;
    limit = std::min(limit, end);
  }
}

namespace {

Result<std::optional<OffsetAndTime>> search_batch(const record::BatchView& batch, Timestamp time,
                                                  Offset from) {
  std::vector<std::byte> scratch;
  MILLRACE_TRY(auto cursor, record::RecordCursor::open(batch, scratch));
  record::RecordView record;
  while (cursor.next(record) == record::RecordCursor::Step::record) {
    if (record.offset >= from && record.timestamp >= time) {
      return std::optional(OffsetAndTime{record.offset, record.timestamp});
    }
  }
  return std::optional<OffsetAndTime>();
}

Result<std::optional<OffsetAndTime>> search(SegmentSource& source, const SegmentList& list,
                                            Timestamp time, Offset limit) {
  const Offset start = offset_in(source.control().log_start_offset);
  for (const SegmentPtr& segment : list.segments) {
    if (segment->base_offset() >= limit) break;
    MILLRACE_TRY(const TimeEntry largest, segment->largest(limit));
    if (largest.timestamp < time) continue;
    LogCursor cursor(source, std::max(start, segment->known_older(time) + 1));
    while (cursor.position() < limit) {
      MILLRACE_TRY(const Chunk chunk, cursor.read(limit, {.max_bytes = 1, .check_crc = false}));
      if (chunk.empty()) break;
      const auto batch = record::BatchView::try_parse(chunk.bytes);
      if (batch.is_control() || batch.max_timestamp() < time) continue;
      MILLRACE_TRY(const auto found, search_batch(batch, time, std::max(start, chunk.begin)));
      if (found) return found;
    }
    break;
  }
  return std::optional<OffsetAndTime>();
}

}  // namespace

Result<std::optional<OffsetAndTime>> find_time(SegmentSource& source, Timestamp time,
                                               Offset limit) {
  for (;;) {
    const std::uint64_t generation =
        source.control().segments_generation.load(std::memory_order_acquire);
    MILLRACE_TRY(const SegmentListPtr list, source.segments());
    auto found = search(source, *list, time, limit);
    if (found) return found;
    // Files may have gone while they were looked at.
    const bool changed = generation != source.control().segments_generation.load();
    if (!changed) return found;
  }
}

}  // namespace millrace::inline v0::storage
