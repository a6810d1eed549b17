#include "aborted_filter.hpp"

#include <algorithm>
#include <utility>

namespace millrace::inline v0::detail {

Result<void> AbortedFilter::look_up(engine::PartitionReader& reader, OffsetRange range,
                                    Offset limit) {
  // Far enough ahead that an index is not read for each poll, near enough to be little.
  constexpr std::int64_t ahead = 100'000;
  if (range.begin >= known_.begin && range.end <= known_.end) return {};
  const Offset end = std::max(range.end, std::min(limit, range.begin + ahead));
  MILLRACE_TRY(aborted_, storage::find_aborted(reader.source(), {range.begin, end}));
  known_ = {range.begin, end};
  return {};
}

Result<std::int64_t> AbortedFilter::add_committed(FetchedRecords::Part part, Offset limit,
                                                  FetchedRecords& into) {
  const Bytes all = part.chunk.bytes;
  const auto first = record::BatchView::try_parse(all);
  const Offset begin = first.size() == 0 ? part.begin : std::min(part.begin, first.base_offset());
  MILLRACE_CHECK(look_up(*part.partition, {begin, part.chunk.end}, limit));
  std::int64_t records = 0;
  std::size_t run_from = 0;
  std::int64_t run_records = 0;
  const auto end_run = [&](std::size_t at) {
    if (run_records > 0) {
      FetchedRecords::Part run = part;
      run.chunk.bytes = all.subspan(run_from, at - run_from);
      run.chunk.bytes_behind = part.chunk.bytes_behind + (all.size() - at);
      into.add(std::move(run));
    }
    records += std::exchange(run_records, 0);
  };
  std::size_t at = 0;
  while (at < all.size()) {
    const auto batch = record::BatchView::try_parse(all.subspan(at));
    if (batch.size() == 0 || batch.base_offset() >= part.end) break;
    const std::size_t next = at + batch.size();
    if (storage::is_aborted(aborted_, batch)) {
      end_run(at);
      run_from = next;
    } else if (!batch.is_control() && batch.last_offset() >= part.begin) {
      run_records += batch.record_count();
    }
    at = next;
  }
  end_run(at);
  return records;
}

}  // namespace millrace::inline v0::detail
