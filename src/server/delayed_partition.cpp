#include "server/delayed_partition.hpp"

#include <algorithm>
#include <millrace/record/delayed.hpp>

#include "server/delayed_copies.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace std::chrono_literals;

// How much is read before others have their turn, and how many copies are made.
constexpr std::size_t piece_bytes = 4u << 20;
constexpr std::size_t piece_records = 1000;
// What failed is tried again.
constexpr auto retry_wait = 1s;
// Wall time may be set, and goes on while the machine sleeps: looked at no less often than this.
constexpr std::chrono::milliseconds longest_wait = 30s;

}  // namespace

DelayedPartition::DelayedPartition(const engine::PartitionPtr& partition,
                                   engine::Scheduler& scheduler, const std::string& topic_id)
    : partition_(partition),
      scheduler_(scheduler),
      source_("@" + topic_id + "-" + std::to_string(partition->id())),
      first_pass_({partition->stable_end(), partition->log().log_end_offset()}),
      read_end_(partition->log_start_offset()) {}

void DelayedPartition::start() {
  const auto partition = partition_.lock();
  if (!partition) return;
  partition->watch([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->post();
  });
  post();
}

void DelayedPartition::post() {
  if (is_posted_.exchange(true)) return;
  scheduler_.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->run();
  });
}

void DelayedPartition::run() {
  const auto partition = partition_.lock();
  if (!partition) return;
  const std::lock_guard lock(mutex_);
  is_posted_.store(false);
  const Clock::Steady now = scheduler_.clock().steady();
  if (retry_at_ && now < *retry_at_) {
    // By an append, or by a timer that was set before.
    arm(*retry_at_);
    return;
  }
  retry_at_.reset();
  auto done = work(*partition);
  let_retention_go_on(*partition);
  if (done) return;
  // A topic that was deleted meanwhile is no failure.
  if (done.error().code() == Errc::closed) return;
  scheduler_.report(done.error().at(partition->topic(), partition->id()));
  // A log that failed stays so until it is opened again.
  if (partition->log().has_failed()) return;
  retry_at_ = now + retry_wait;
  arm(*retry_at_);
}

Result<void> DelayedPartition::work(engine::Partition& partition) {
  if (!partition.delays()) return {};
  MILLRACE_TRY(const bool is_all_read, read_on(partition));
  // What is to come may be a copy, or due before what is known.
  if (!is_all_read) return post(), Result<void>();
  MILLRACE_TRY(const bool is_all_done, deliver_due(partition));
  if (!is_all_done) return post(), Result<void>();
  arm_for_next();
  return {};
}

/// Takes a piece; whether that was all there is.
Result<bool> DelayedPartition::read_on(engine::Partition& partition) {
  storage::LogCursor cursor(partition.source(), read_end_);
  for (std::size_t bytes = 0; bytes < piece_bytes;) {
    Offset limit = partition.stable_end();
    if (first_pass_)
      limit = read_end_ < first_pass_->stable_end ? first_pass_->stable_end : first_pass_->end;
    if (read_end_ >= limit) {
      if (!first_pass_) return true;
      read_end_ = std::max(first_pass_->stable_end, partition.log_start_offset());
      first_pass_.reset();
      cursor.seek(read_end_);
      continue;
    }
    auto chunk = cursor.read(limit, {});
    if (chunk) {
      MILLRACE_CHECK(take(partition, *chunk));
      bytes += chunk->bytes.size();
      read_end_ = chunk->end;
      if (chunk->empty()) read_end_ = limit;
      continue;
    }
    const Error& error = chunk.error();
    if (error.code() == Errc::offset_out_of_range && partition.log_start_offset() > read_end_) {
      read_end_ = partition.log_start_offset();
    } else if (error.code() == Errc::corrupt_data && error.offsets().end > read_end_) {
      scheduler_.report(error.at(partition.topic(), partition.id()));
      read_end_ = error.offsets().end;
    } else {
      return error;
    }
    cursor.seek(read_end_);
  }
  return false;
}

Result<void> DelayedPartition::take(engine::Partition& partition, const storage::Chunk& chunk) {
  const auto walk = [&](const auto& visit) {
    for (std::size_t at = 0; at < chunk.bytes.size();) {
      const auto batch = record::BatchView::try_parse(chunk.bytes.subspan(at));
      if (batch.size() == 0) return;
      at += batch.size();
      if (!batch.is_control()) visit(batch);
    }
  };
  std::optional<Offset> first_of_transaction;
  walk([&](const record::BatchView& batch) {
    if (batch.is_transactional() && !first_of_transaction) {
      first_of_transaction = batch.base_offset();
    }
  });
  std::vector<storage::AbortedTransaction> aborted;
  if (first_of_transaction) {
    MILLRACE_TRY(aborted,
                 storage::find_aborted(partition.source(), {*first_of_transaction, chunk.end}));
  }
  walk([&](const record::BatchView& batch) {
    take_batch(batch, chunk.begin, storage::is_aborted(aborted, batch));
  });
  return {};
}

void DelayedPartition::take_batch(const record::BatchView& batch, Offset begin, bool is_aborted) {
  using Step = record::RecordCursor::Step;
  const bool takes_originals = !first_pass_ || batch.base_offset() < first_pass_->stable_end;
  std::vector<std::byte> scratch;
  auto cursor = record::RecordCursor::open(batch, scratch);
  record::RecordView record;
  Step step = cursor ? cursor->skip_to(begin, record) : Step::malformed;
  for (; step == Step::record; step = cursor->next(record)) {
    if (const auto time = record::hidden_until(record)) {
      if (takes_originals && !is_aborted) delayed_.add({*time, record.offset});
    } else if (first_pass_) {
      // Later ones are this process's own.
      const auto original = record::parse_copy_mark(record::copy_mark(record.headers), source_);
      if (original) delayed_.remove(*original);
    }
  }
  if (step != Step::malformed) return;
  scheduler_.report(Error(Errc::corrupt_data,
                          "what is delayed in a batch that breaks the format is not delivered")
                        .with_offsets({batch.base_offset(), batch.next_offset()}));
}

/// Delivers a piece; whether that was all that is due.
Result<bool> DelayedPartition::deliver_due(engine::Partition& partition) {
  delayed_.remove_before(partition.log_start_offset());
  const Timestamp now = scheduler_.clock().now();
  const auto due = delayed_.due(now, piece_records);
  if (due.empty()) return true;
  DelayedCopies copies(partition, source_, now);
  auto appended = copies.append(due, delayed_, scheduler_);
  if (const auto end = copies.end()) {
    copies_end_ = *end;
    // Those that were appended before one failed are to be seen too.
    auto acknowledged = partition.wait_acknowledged(*end);
    if (!acknowledged && appended) appended = acknowledged.error();
  }
  if (!appended) return appended.error();
  return false;
}

/// Up to the oldest record that is waiting, or whose copy a loss of power could take.
void DelayedPartition::let_retention_go_on(engine::Partition& partition) {
  storage::Log& log = partition.log();
  if (kept_from_ && log.flushed_offset() >= kept_from_->copies_end) {
    log.keep_from(kept_from_->offset);
    kept_from_.reset();
  }
  if (kept_from_) return;
  const Offset read_end = first_pass_ ? std::min(read_end_, first_pass_->stable_end) : read_end_;
  const Offset offset = std::min(delayed_.oldest().value_or(read_end), read_end);
  if (log.flushed_offset() >= copies_end_) {
    log.keep_from(offset);
  } else {
    kept_from_ = {copies_end_, offset};
  }
}

void DelayedPartition::arm_for_next() {
  const auto next = delayed_.next();
  if (!next) return;
  const Clock& clock = scheduler_.clock();
  arm(clock.steady() + std::clamp(next->deliver_at - clock.now(), 0ms, longest_wait));
}

void DelayedPartition::arm(Clock::Steady when) {
  const auto now = scheduler_.clock().steady();
  if (armed_ && *armed_ > now && *armed_ <= when) return;
  armed_ = when;
  scheduler_.at(when, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->run();
  });
}

}  // namespace millrace::inline v0::server
