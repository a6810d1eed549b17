#include <algorithm>
#include <map>
#include <millrace/storage/batch_scan.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/log_producers.hpp>
#include <millrace/storage/producer_snapshot.hpp>
#include <millrace/storage/transaction_index.hpp>

#include "storage/file_bytes.hpp"

namespace millrace::inline v0::storage {
namespace {

using record::BatchView;

/// Calls `visit` for every good batch with a producer id in `range`, which begins in the segment or
/// before it. Damaged ones are passed over: who opens the log hears of them elsewhere.
template <typename Visit>
Result<void> visit_segment(Segment& segment, OffsetRange range, Visit&& visit) {
  MILLRACE_CHECK(segment.open());
  std::uint64_t position = 0;
  Offset expected = segment.base_offset();
  if (range.begin > expected) {
    const auto found = segment.find(range.begin);
    if (found) position = found->value();
    if (position > 0) expected = range.begin;
  }
  if (position >= segment.end()) return {};
  const std::uint64_t length = segment.end() - position;
  FileBytes copy;  // for pages that the disk does not give back
  Bytes log(segment.data() + position, length);
  if (!segment.check_readable(position, length)) {
    const std::string name = file_name(segment.base_offset(), log_suffix);
    MILLRACE_TRY(copy, FileBytes::open(segment.directory(), name));
    log = copy.bytes().subspan(position, std::min(length, copy.bytes().size() - position));
  }
  const auto first = BatchView::try_parse(log);
  if (first.size() != 0) expected = std::min(expected, first.base_offset());
  BatchScan scan(log, expected, range.end);
  for (auto step = scan.next(); step != BatchScan::Step::end; step = scan.next()) {
    if (step == BatchScan::Step::batch && scan.batch().producer().id >= 0) visit(scan.batch());
  }
  return {};
}

Offset end_of(const std::vector<SegmentPtr>& segments, std::size_t index, Offset end) {
  return index + 1 < segments.size() ? segments[index + 1]->base_offset() : end;
}

}  // namespace

Result<std::set<Offset>> LogProducers::list_files(Offset end) {
  MILLRACE_TRY(const auto entries, directory_->list());
  std::set<Offset> indexes;
  bool removed = false;
  snapshots_.clear();
  for (const auto& entry : entries) {
    if (const auto base = parse_file_name(entry.name, transaction_index_suffix)) {
      indexes.insert(*base);
    }
    const auto offset = parse_file_name(entry.name, snapshot_suffix);
    if (offset && *offset > end) {
      MILLRACE_CHECK(directory_->remove(entry.name));
      removed = true;
    } else if (offset) {
      snapshots_.insert(*offset);
    }
  }
  // The log will reach that offset again with other batches: it must not come back.
  if (removed) MILLRACE_CHECK(directory_->sync());
  return indexes;
}

/// Takes over the newest snapshot at or below `limit` that is whole; none if there is no such.
Result<std::optional<Offset>> LogProducers::restore(Offset limit) {
  state_.clear();
  for (auto after = snapshots_.upper_bound(limit); after != snapshots_.begin();) {
    const auto newest = std::prev(after);
    const Offset end = *newest;
    const auto saved = read_snapshot(directory_, end);
    if (saved) {
      state_.restore(*saved);
      return std::optional(end);
    }
    if (saved.error().code() == Errc::corrupt_data) {
      MILLRACE_CHECK(directory_->remove(file_name(end, snapshot_suffix)));
    }
    after = snapshots_.erase(newest);
  }
  return std::optional<Offset>();
}

/// What a kill left behind the log's end goes; what is damaged is made again.
Result<void> LogProducers::check_index(Offset base, Offset end, KnownProducers& known) {
  auto transactions = read_transaction_index(directory_, base);
  if (!transactions) {
    if (transactions.error().code() != Errc::corrupt_data) return std::move(transactions).error();
    known.scanned_from = std::min(base, known.scanned_from.value_or(base));
    return {};
  }
  const auto is_beyond = [&](const auto& entry) { return entry.last_offset >= end; };
  if (std::erase_if(*transactions, is_beyond) == 0) return {};
  return write_transaction_index(directory_, base, *transactions);
}

Result<void> LogProducers::recover(const std::vector<SegmentPtr>& segments,
                                   const KnownProducers& known, Offset end) {
  const bool is_without = known.snapshot < Offset{0} && known.quiet_until >= end;
  if (is_without && !known.scanned_from) return {};
  KnownProducers judged = known;
  MILLRACE_TRY(const auto indexes, list_files(end));
  for (const Offset base : indexes) MILLRACE_CHECK(check_index(base, end, judged));
  return reload(segments, judged, end);
}

Result<void> LogProducers::reload(const std::vector<SegmentPtr>& segments,
                                  const KnownProducers& known, Offset end) {
  first_unsaved_.reset();
  unsaved_bytes_ = 0;
  const Offset first = segments.empty() ? end : segments.front()->base_offset();
  MILLRACE_TRY(const auto begin, restore(known.scanned_from.value_or(end)));
  Replay replay{std::max(first, begin.value_or(first)), known.scanned_from};
  // Of what a newer snapshot than this one would say, nothing is known.
  const bool is_quiet = begin.value_or(Offset{-1}) >= known.snapshot;
  if (is_quiet) replay.from = std::max(replay.from, known.quiet_until);
  MILLRACE_CHECK(read_batches(segments, replay, end));
  if (begin || snapshots_.empty()) return {};
  // The snapshot may know producers whose batches are gone.
  MILLRACE_TRY(const auto newest, restore(end));
  first_unsaved_.reset();
  unsaved_bytes_ = 0;
  const Offset from = newest ? std::max(first, *newest) : replay.from;
  return read_batches(segments, {from, std::nullopt}, end);
}

Result<void> LogProducers::read_batches(const std::vector<SegmentPtr>& segments,
                                        const Replay& replay, Offset end) {
  for (std::size_t i = 0; i < segments.size(); ++i) {
    Segment& segment = *segments[i];
    const OffsetRange range{replay.from, end_of(segments, i, end)};
    Transactions aborted;
    if (range.begin < range.end) {
      MILLRACE_CHECK(visit_segment(segment, range, [&](const BatchView& batch) {
        count(batch);
        if (const auto one = state_.apply(batch)) aborted.push_back(*one);
      }));
    }
    const Offset base = segment.base_offset();
    if (!replay.indexes_from || base < *replay.indexes_from) continue;
    const auto written = read_transaction_index(directory_, base);
    if (written && *written == aborted) continue;
    MILLRACE_CHECK(write_transaction_index(directory_, base, aborted));
  }
  state_.age();
  return {};
}

bool LogProducers::agrees_with(const ControlBlock& block) const noexcept {
  return block.producer_snapshot.load() == newest_snapshot().value() &&
         block.first_unsaved_offset.load() == first_unsaved_value();
}

void LogProducers::publish(ControlBlock& block) noexcept {
  block_ = &block;
  block.producer_snapshot.store(newest_snapshot().value());
  block.first_unsaved_offset.store(first_unsaved_value());
  publish_unstable();
}

void LogProducers::publish_unstable() noexcept {
  std::int64_t offset = ControlBlock::no_unstable_offset;
  if (const auto first = state_.first_unstable_offset()) {
    offset = std::max(first->value(), block_->log_start_offset.load());
  }
  block_->first_unstable_offset.store(offset, std::memory_order_release);
}

Result<void> LogProducers::announce(const BatchView& batch, Offset base) {
  const auto aborted = state_.aborted_by(batch);
  if (!aborted) return {};
  MILLRACE_CHECK(append_transaction(directory_, base, *aborted));
  announced_in_ = base;
  return {};
}

Result<void> LogProducers::take_back() {
  if (!announced_in_) return {};
  const std::string name = file_name(*announced_in_, transaction_index_suffix);
  announced_in_.reset();
  MILLRACE_TRY(os::File file, directory_->open(name, os::OpenMode::read_write));
  MILLRACE_TRY(const std::uint64_t size, file.size());
  return file.resize(size - transaction_entry_bytes);
}

void LogProducers::count(const BatchView& batch) {
  // A snapshot in between may be taken over later: what it covers is not counted.
  if (batch.base_offset() < newest_snapshot()) return;
  if (!first_unsaved_) first_unsaved_ = batch.base_offset();
  unsaved_bytes_ += batch.size();
}

void LogProducers::apply(const BatchView& batch) {
  announced_in_.reset();
  const bool is_first = !first_unsaved_;
  count(batch);
  if (is_first) block_->first_unsaved_offset.store(first_unsaved_value());
  if (is_writing_ && !first_since_writing_) first_since_writing_ = batch.base_offset();
  state_.apply(batch);
  if (batch.is_transactional()) publish_unstable();
}

void LogProducers::show(Offset high_watermark) {
  if (block_->first_unstable_offset.load(std::memory_order_relaxed) ==
      ControlBlock::no_unstable_offset) {
    return;
  }
  state_.advance(high_watermark);
  publish_unstable();
}

void LogProducers::saved(Offset end, std::optional<Offset> first_unsaved) {
  snapshots_.insert(end);
  first_unsaved_ = first_unsaved;
  // In this order: killed in between, more is read than need be.
  block_->producer_snapshot.store(end.value());
  block_->first_unsaved_offset.store(first_unsaved_value());
}

std::optional<LogProducers::Snapshot> LogProducers::begin_snapshot(Offset end) {
  if (!first_unsaved_ || is_writing_) return std::nullopt;
  is_writing_ = true;
  first_since_writing_.reset();
  unsaved_bytes_ = 0;
  return Snapshot{end, encode_snapshot(state_.summaries())};
}

Result<void> LogProducers::finish_snapshot(const Snapshot& snapshot, Result<void> written,
                                           const std::vector<SegmentPtr>& segments) {
  is_writing_ = false;
  MILLRACE_CHECK(std::move(written));
  if (snapshot.end > newest_snapshot()) {
    saved(snapshot.end, first_since_writing_);
  } else {  // a roll was quicker
    snapshots_.insert(snapshot.end);
  }
  prune(segments);
  return {};
}

void LogProducers::take_snapshot(Offset end, const std::vector<SegmentPtr>& segments) {
  if (!first_unsaved_) return;
  if (!write_snapshot(directory_, end, encode_snapshot(state_.summaries()))) return;
  saved(end, std::nullopt);
  unsaved_bytes_ = 0;
  prune(segments);
}

void LogProducers::prune(const std::vector<SegmentPtr>& segments) {
  std::set<Offset> kept{newest_snapshot()};
  for (const auto& segment : segments) {
    const auto after = snapshots_.upper_bound(segment->base_offset());
    if (after != snapshots_.begin()) kept.insert(*std::prev(after));
  }
  std::erase_if(snapshots_, [&](Offset end) {
    if (kept.contains(end)) return false;
    return directory_->remove(file_name(end, snapshot_suffix)).has_value();
  });
}

Result<void> LogProducers::begin_truncation(Offset end) {
  while (!snapshots_.empty() && newest_snapshot() > end) {
    MILLRACE_CHECK(directory_->remove(file_name(newest_snapshot(), snapshot_suffix)));
    snapshots_.erase(newest_snapshot());
  }
  return {};
}

Result<void> LogProducers::truncate(const std::vector<SegmentPtr>& segments, Offset end) {
  KnownProducers known{Offset{block_->producer_snapshot.load()},
                       std::min(end, Offset{block_->first_unsaved_offset.load()}), std::nullopt};
  MILLRACE_CHECK(check_index(segments.back()->base_offset(), end, known));
  MILLRACE_CHECK(reload(segments, known, end));
  publish(*block_);
  return {};
}

}  // namespace millrace::inline v0::storage
