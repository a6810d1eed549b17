#include <algorithm>
#include <millrace/storage/checkpoint.hpp>
#include <millrace/storage/cleaner.hpp>
#include <millrace/storage/log.hpp>

#include "storage/known_state.hpp"

namespace millrace::inline v0::storage {
namespace {

struct Dirty {
  std::vector<SegmentPtr> clean;
  std::vector<SegmentPtr> dirty;
  std::uint64_t clean_bytes = 0;
  std::uint64_t dirty_bytes = 0;
  Offset end;
  Timestamp oldest_dirty = Timestamp::none();
};

Result<Dirty> find_dirty(const SegmentList& list, Offset first_dirty, const LogOptions& options,
                         Offset limit, Timestamp now) {
  Dirty found;
  found.end = first_dirty;
  for (std::size_t i = 0; i + 1 < list.segments.size(); ++i) {
    const SegmentPtr& segment = list.segments[i];
    const Offset next = list.segments[i + 1]->base_offset();
    MILLRACE_TRY(const std::uint64_t bytes, segment->file_bytes());
    if (next <= first_dirty) {
      found.clean.push_back(segment);
      found.clean_bytes += bytes;
      continue;
    }
    MILLRACE_TRY(const TimeEntry entry, segment->largest(next));
    const Timestamp largest = entry.timestamp;
    const bool too_young =
        options.min_compaction_lag.count() > 0 && now - largest < options.min_compaction_lag;
    if (too_young || next > limit) break;
    if (found.dirty.empty()) found.oldest_dirty = largest;
    found.dirty.push_back(segment);
    found.dirty_bytes += bytes;
    found.end = next;
  }
  return found;
}

}  // namespace

Result<std::uint64_t> Log::compact(bool force) {
  const std::lock_guard cleaning(clean_mutex_);
  MILLRACE_CHECK(flush_sealed());
  const LogOptions now_options = options();
  const Timestamp now = clock_->now();
  SegmentListPtr list;
  LastBatches last_batches;
  {
    const std::lock_guard lock(mutex_);
    MILLRACE_CHECK(check_usable());
    list = *segments();
    for (const auto& one : producers_.state().summaries()) last_batches.add_producer(one.id);
  }
  // Losing the checkpoint only makes this pass do more.
  const Offset first_dirty = read_cleaner_checkpoint(directory_).value_or(Offset{0});
  // A record gives way to a later one of its key that no crash can take back.
  const Offset limit = std::min(last_stable_offset(), flushed_offset());
  MILLRACE_TRY(Dirty found, find_dirty(*list, first_dirty, now_options, limit, now));
  if (found.dirty.empty()) return std::uint64_t{0};
  const double ratio = static_cast<double>(found.dirty_bytes) /
                       static_cast<double>(found.dirty_bytes + found.clean_bytes);
  const bool overdue = now_options.max_compaction_lag != std::chrono::milliseconds::max() &&
                       found.oldest_dirty != Timestamp::none() &&
                       now - found.oldest_dirty > now_options.max_compaction_lag;
  if (!force && !overdue && ratio <= now_options.min_cleanable_dirty_ratio) return std::uint64_t{0};

  AbortedTransactions aborted;
  for (const auto& segment : list->segments) {
    if (segment->base_offset() < found.dirty.front()->base_offset()) continue;
    MILLRACE_CHECK(collect_transactions(*segment, high_watermark(), aborted));
  }
  KeyOffsets keys;
  std::size_t taken = 0;
  while (taken < found.dirty.size() && keys.memory_bytes() < now_options.dedupe_buffer_bytes) {
    MILLRACE_CHECK(collect_keys(*found.dirty[taken++], aborted, keys));
  }
  if (taken < found.dirty.size()) found.end = found.dirty[taken]->base_offset();
  std::vector<SegmentPtr> all = found.clean;
  all.insert(all.end(), found.dirty.begin(),
             found.dirty.begin() + static_cast<std::ptrdiff_t>(taken));
  // What a crash may take from the log's end must not have cost an older batch its place.
  for (const auto& segment : list->segments) {
    if (last_batches.empty() || segment->base_offset() >= limit) break;
    MILLRACE_CHECK(collect_last_batches(*segment, limit, last_batches));
  }
  const CleanRules rules{&keys, &aborted, now, now_options.delete_retention, &last_batches};
  TransactionData transactions;
  std::uint64_t freed = 0;
  const auto groups = group_segments(all, now_options);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    MILLRACE_TRY(const CleanStats stats, rewrite_segments(groups[i], rules, transactions));
    if (!stats.changed) continue;
    freed += stats.bytes_before - std::min(stats.bytes_before, stats.bytes_after);
    const Offset end = i + 1 < groups.size() ? groups[i + 1].front()->base_offset() : found.end;
    MILLRACE_CHECK(forget_transactions(groups[i], stats.dropped_markers));
    MILLRACE_CHECK(exchange(groups[i], end));
  }
  MILLRACE_CHECK(directory_->replace_file(cleaner_checkpoint_name,
                                          format_checkpoint({std::to_string(found.end.value())})));
  return freed;
}

Result<void> Log::exchange(const std::vector<SegmentPtr>& group, Offset end) {
  // Their last sync must not come after their files are gone.
  const std::lock_guard one_flush(flush_mutex_);
  const std::lock_guard lock(mutex_);
  auto& generation = control_.block().segments_generation;
  generation.fetch_add(1, std::memory_order_release);
  auto swapped = swap_in(directory_, group, end);
  if (!swapped) {  // the next pass finishes it; what is read here is still mapped
    replace_list((*segments())->segments);
    return swapped;
  }
  const auto in_group = [&](const SegmentPtr& segment) {
    return std::find(group.begin(), group.end(), segment) != group.end();
  };
  std::erase_if(unsynced_, [&](const auto& sealed) { return in_group(sealed->segment()); });
  std::erase_if(recovered_unsynced_, in_group);
  std::vector<SegmentPtr> rest;
  for (const auto& segment : (*segments())->segments) {
    if (segment == group.front()) {
      rest.push_back(std::make_shared<Segment>(directory_, segment->base_offset(),
                                               SegmentMode::sealed, limits()));
    } else if (!in_group(segment)) {
      rest.push_back(segment);
    }
  }
  replace_list(std::move(rest));
  return {};
}

}  // namespace millrace::inline v0::storage
