#include "delayed_filter.hpp"

#include <algorithm>
#include <millrace/record/delayed.hpp>

namespace millrace::inline v0::detail {
namespace {

using Step = record::RecordCursor::Step;

/// Cuts one part into runs of what is to be seen.
class Cutter {
 public:
  Cutter(const FetchedRecords::Part& part, const std::vector<FetchedRecords::Unpacked>& unpacked,
         FetchedRecords& into)
      : part_(part), all_(part.chunk.bytes), unpacked_(unpacked), into_(into) {}

  std::int64_t cut() {
    std::size_t at = 0;
    while (at < all_.size()) {
      const auto batch = record::BatchView::try_parse(all_.subspan(at));
      if (batch.size() == 0 || batch.base_offset() >= part_.end) break;
      if (!batch.is_control() && batch.last_offset() >= part_.begin) walk(batch, at);
      at += batch.size();
    }
    end_run(at, part_.end);
    return count_;
  }

 private:
  void walk(const record::BatchView& batch, std::size_t at) {
    std::vector<std::byte> scratch;
    auto cursor = open(batch, scratch);
    record::RecordView record;
    Step step = cursor ? cursor->skip_to(part_.begin, record) : Step::malformed;
    for (; step == Step::record && record.offset < part_.end; step = cursor->next(record)) {
      if (record::hidden_until(record)) {
        // With this batch only if the run has some of it.
        end_run(last_seen_ >= batch.base_offset() ? at + batch.size() : at, record.offset);
        continue;
      }
      see(at, record.offset);
    }
    // What cannot be read is left in, so that whoever walks the records hears of it.
    if (step == Step::malformed) see(at, std::max(last_seen_ + 1, part_.begin));
  }

  Result<record::RecordCursor> open(const record::BatchView& batch,
                                    std::vector<std::byte>& scratch) const {
    const auto ready = std::find_if(unpacked_.begin(), unpacked_.end(),
                                    [&](const auto& one) { return one.batch == batch.data(); });
    if (ready != unpacked_.end()) return ready->records;
    return record::RecordCursor::open(batch, scratch);
  }

  void see(std::size_t at, Offset offset) {
    if (!runs_) {
      runs_ = true;
      run_from_ = at;
      run_begin_ = offset;
    }
    last_seen_ = offset;
    ++count_;
  }

  void end_run(std::size_t at, Offset end) {
    if (!std::exchange(runs_, false)) return;
    FetchedRecords::Part run = part_;
    run.chunk.bytes = all_.subspan(run_from_, at - run_from_);
    run.chunk.bytes_behind = part_.chunk.bytes_behind + (all_.size() - at);
    run.begin = run_begin_;
    run.end = end;
    into_.add(std::move(run));
  }

  const FetchedRecords::Part& part_;
  const Bytes all_;
  const std::vector<FetchedRecords::Unpacked>& unpacked_;
  FetchedRecords& into_;
  bool runs_ = false;
  std::size_t run_from_ = 0;
  Offset run_begin_;
  Offset last_seen_{-1};
  std::int64_t count_ = 0;
};

}  // namespace

std::int64_t add_delivered(const FetchedRecords& from,
                           const std::vector<FetchedRecords::Unpacked>& unpacked,
                           FetchedRecords& into) {
  std::int64_t count = 0;
  for (const auto& part : from.parts()) count += Cutter(part, unpacked, into).cut();
  return count;
}

}  // namespace millrace::inline v0::detail
