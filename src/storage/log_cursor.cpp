#include <millrace/storage/log_cursor.hpp>

#include <algorithm>

#include <millrace/storage/file_names.hpp>
#include <millrace/storage/recovery.hpp>

namespace millrace::inline v0::storage {

void LogCursor::seek(Offset offset) noexcept {
  if (offset == offset_) return;
  offset_ = offset;
  segment_.reset();
}

Result<void> LogCursor::locate() {
  const std::uint64_t generation =
      source_->control().segments_generation.load(std::memory_order_acquire);
  if (!list_ || list_->generation != generation) {
    MILLRACE_TRY(list_, source_->segments());
    if (segment_) {
      const std::size_t at = list_->index_of(offset_);
      if (at < list_->segments.size() && list_->segments[at] == segment_) {
        index_ = at;
      } else {
        segment_.reset();
      }
    }
  }
  if (segment_) return {};
  if (list_->segments.empty()) {
    return Error(Errc::corrupt_data, "no segment holds offset " + std::to_string(offset_.value()));
  }
  index_ = list_->index_of(offset_);
  segment_ = list_->segments[index_];
  auto at = segment_->find(offset_);
  if (!at) {
    segment_.reset();
    return std::move(at).error();
  }
  position_ = at->value();
  return {};
}

Error LogCursor::damage_at(std::uint64_t position, Offset limit) const {
  Offset resume = index_ + 1 < list_->segments.size()
                      ? list_->segments[index_ + 1]->base_offset()
                      : limit;
  const Bytes bytes(segment_->data(), segment_->end());
  if (segment_->check_readable(position, segment_->end() - position)) {
    if (const auto next = find_next_batch(bytes, position + 1, offset_, resume)) {
      resume = std::max(segment_->batch_at(*next).base_offset(), offset_ + 1);
    }
  }
  return Error(Errc::corrupt_data,
               "segment " + file_name(segment_->base_offset(), log_suffix) + " of " +
                   segment_->directory()->path() + " is damaged at byte " +
                   std::to_string(position) + ": offsets [" + std::to_string(offset_.value()) +
                   ", " + std::to_string(resume.value()) +
                   ") cannot be read; seek past them to go on, or run `millrace log verify`")
      .with_offsets({offset_, resume});
}

Result<Chunk> LogCursor::collect(Offset limit, const ReadOptions& options, bool& blocked) {
  Chunk chunk{segment_, {}, offset_, offset_};
  std::uint64_t from = position_;
  while (offset_ < limit) {
    MILLRACE_CHECK(segment_->check_readable(position_, record::layout::header_bytes));
    const record::BatchView batch = segment_->batch_at(position_);
    if (batch.size() == 0) break;
    if (batch.last_offset() < offset_) {  // an index entry below led here
      position_ += batch.size();
      from = position_;
      continue;
    }
    blocked = batch.last_offset() >= limit;
    const bool is_first = chunk.end == chunk.begin;
    if (blocked || (!is_first && position_ + batch.size() - from > options.max_bytes)) break;
    MILLRACE_CHECK(segment_->check_readable(position_, batch.size()));
    const bool gap = batch.base_offset() > offset_ && source_->control().compacted == 0;
    if (gap || (options.check_crc && !batch.crc_matches())) break;
    position_ += batch.size();
    offset_ = chunk.end = batch.next_offset();
  }
  if (chunk.end != chunk.begin) chunk.bytes = Bytes(segment_->data() + from, position_ - from);
  return chunk;
}

bool LogCursor::move_to_next_segment() {
  if (index_ + 1 >= list_->segments.size()) return false;
  const Offset next = list_->segments[index_ + 1]->base_offset();
  const bool hole_is_normal = source_->control().compacted != 0 && position_ >= segment_->end();
  if (offset_ < next && !hole_is_normal) return false;
  offset_ = std::max(offset_, next);
  segment_ = list_->segments[++index_];
  position_ = 0;
  return true;
}

Result<Chunk> LogCursor::read(Offset limit, const ReadOptions& options) {
  const Offset start{source_->control().log_start_offset.load(std::memory_order_acquire)};
  if (offset_ < start || offset_ > limit) {
    return Error(Errc::offset_out_of_range,
                 "offset " + std::to_string(offset_.value()) + " is outside [" +
                     std::to_string(start.value()) + ", " + std::to_string(limit.value()) +
                     "]; seek to an offset inside, or set auto_offset_reset")
        .with_offsets({start, limit});
  }
  while (offset_ < limit) {
    MILLRACE_CHECK(locate());
    bool blocked = false;
    auto chunk = collect(limit, options, blocked);
    if (!chunk) segment_.reset();
    if (!chunk || !chunk->empty()) return chunk;
    if (blocked) break;
    if (move_to_next_segment()) {
      MILLRACE_CHECK(segment_->open());
      continue;
    }
    if (segment_->mode() == SegmentMode::attached) {
      const std::uint64_t before = segment_->end();
      MILLRACE_CHECK(segment_->refresh());
      if (segment_->end() != before) continue;
    }
    Error error = damage_at(position_, limit);
    segment_.reset();
    return error;
  }
  return Chunk{nullptr, {}, offset_, offset_};
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

}  // namespace

Result<std::optional<OffsetAndTime>> find_time(SegmentSource& source, Timestamp time,
                                               Offset limit) {
  MILLRACE_TRY(const SegmentListPtr list, source.segments());
  const Offset start{source.control().log_start_offset.load(std::memory_order_acquire)};
  for (const SegmentPtr& segment : list->segments) {
    if (segment->base_offset() >= limit) break;
    MILLRACE_TRY(const Timestamp largest, segment->largest_timestamp());
    if (largest < time) continue;
    Offset from = std::max(start, segment->base_offset());
    if (const auto entry = segment->time_index().below(time)) from = std::max(from, entry->offset);
    LogCursor cursor(source, from);
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

}  // namespace millrace::inline v0::storage
