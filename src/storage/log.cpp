#include <algorithm>
#include <limits>
#include <millrace/core/assert.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/log.hpp>
#include <millrace/storage/producer_snapshot.hpp>
#include <millrace/storage/tidy.hpp>
#include <millrace/storage/transaction_index.hpp>
#include <utility>

namespace millrace::inline v0::storage {
Log::Log(os::DirectoryPtr directory, const LogOptions& options, const Context& context)
    : directory_(std::move(directory)),
      clock_(context.clock),
      options_(options),
      producers_(directory_),
      requires_keys_(options.cleanup_compact) {}

Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::open(os::DirectoryPtr directory, const LogOptions& options,
                                       const Context& context) {
  MILLRACE_CHECK(check_options(options));
  std::unique_ptr<Log> log(new Log(std::move(directory), options, context));
  MILLRACE_TRY(log->control_, ControlFile::open_owner(log->directory_));
  MILLRACE_CHECK(log->epochs_.load(log->directory_));
  auto started = [&]() -> Result<void> {
    MILLRACE_TRY(RecoveredLog recovered,
                 recover(log->directory_, options, log->control_, context.hints));
    MILLRACE_CHECK(log->recover_epochs(recovered));
    return log->start(std::move(recovered));
  }();
  if (started) return log;
  // A sync may have failed on the way: the page cache is not to be trusted next time.
  if (log->control_.is_valid()) {
    log->control_.block().state.store(static_cast<std::uint32_t>(ControlState::failed));
  }
  return std::move(started).error();
}

Result<void> Log::recover_epochs(const RecoveredLog& recovered) {
  const ControlBlock& block = control_.block();
  const Offset end = recovered.report.log_end_offset;
  epochs_.truncate_from_end(end);
  const auto saved = epochs_.entries();
  if (recovered.report.kind == RecoveryKind::same_run && block.epoch_start < end.value()) {
    epochs_.assign(LeaderEpoch{block.leader_epoch.load()}, Offset{block.epoch_start.load()});
  }
  for (const auto& entry : recovered.epochs) epochs_.assign(entry.epoch, entry.start);
  if (epochs_.was_lost() && !recovered.bases.empty()) {
    MILLRACE_CHECK(epochs_.rebuild(directory_, recovered.bases));
  }
  epochs_.truncate_from_start(recovered.report.log_start_offset);
  epochs_dirty_ = epochs_.was_lost() || epochs_.entries() != saved;
  return {};
}

Result<void> Log::start(RecoveredLog recovered) {
  report_ = std::move(recovered.report);
  const Offset end = report_.log_end_offset;
  const bool clean = report_.kind == RecoveryKind::clean;
  // Nothing is opened for writing before the first append, so that idle partitions cost nothing.
  std::vector<SegmentPtr> segments;
  for (const Offset base : recovered.bases) {
    const bool last = base == recovered.bases.back();
    segments.push_back(std::make_shared<Segment>(directory_, base,
                                                 last ? SegmentMode::resting : SegmentMode::sealed,
                                                 limits(), last ? recovered.active_end : 0));
  }
  recovered_largest_ = recovered.largest;
  directory_dirty_ = !clean;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const bool last = i + 1 == segments.size();
    const Offset next = last ? end : segments[i + 1]->base_offset();
    if (next > recovered.flushed_offset) recovered_unsynced_.push_back(segments[i]);
  }
  if (!control_.is_valid()) control_.initialise();
  ControlBlock& block = control_.block();
  const std::uint32_t compacted = recovered.gaps_are_normal ? 1 : 0;
  MILLRACE_CHECK(producers_.recover(segments, recovered.producers, end));
  const bool as_sealed = block.compacted == compacted && producers_.agrees_with(block) &&
                         block.log_start_offset == report_.log_start_offset.value() &&
                         block.flushed_offset == recovered.flushed_offset.value();
  if (!clean || !as_sealed) leave_clean();
  block.compacted = compacted;
  block.log_start_offset.store(report_.log_start_offset.value());
  producers_.publish(block);
  const Offset visible = options_.visible_on_append ? end : recovered.flushed_offset;
  block.high_watermark.store(visible.value(), std::memory_order_release);
  producers_.show(visible);
  block.log_end_offset.store(end.value());
  block.flushed_offset.store(recovered.flushed_offset.value());
  block.active_end.store(recovered.active_end);
  block.active_base_offset.store(segments.empty() ? end.value()
                                                  : segments.back()->base_offset().value());
  block.delayed.store(options_.delayed_delivery ? 1 : 0, std::memory_order_release);
  publish_epoch();
  if (!clean && !segments.empty()) {
    const std::string name = file_name(segments.back()->base_offset(), log_suffix);
    MILLRACE_TRY(const os::File file, directory_->open(name, os::OpenMode::read_only));
    store_identity(block, file.identity().value_or(os::FileIdentity{}));
  }
  replace_list(std::move(segments));
  if (!clean) block.state.store(static_cast<std::uint32_t>(ControlState::live));
  if (!options_.visible_on_append) MILLRACE_CHECK(flush());
  return {};
}

void Log::leave_clean() {
  auto& state = control_.block().state;
  if (static_cast<ControlState>(state.load()) == ControlState::clean) {
    state.store(static_cast<std::uint32_t>(ControlState::live));
  }
}

void Log::publish_epoch() {
  const auto& entries = epochs_.entries();
  const auto newest =
      entries.empty() ? EpochCache::Entry{LeaderEpoch::unknown, Offset{0}} : entries.back();
  control_.block().leader_epoch.store(static_cast<std::int32_t>(newest.epoch));
  control_.block().epoch_start.store(newest.start.value());
}

LogOptions Log::options() const {
  const std::lock_guard lock(mutex_);
  return options_;
}

std::int64_t Log::largest_producer_id() const {
  const std::lock_guard lock(mutex_);
  return producers_.state().largest_id();
}

std::vector<ProducerSummary> Log::producers() const {
  const std::lock_guard lock(mutex_);
  return producers_.state().summaries();
}

std::vector<ProducerSummary> Log::open_transactions() const {
  const std::lock_guard lock(mutex_);
  return producers_.state().open_transactions();
}

void Log::set_options(const LogOptions& options) {
  const std::lock_guard lock(mutex_);
  options_ = options;
  options_.segment_bytes = std::clamp(options.segment_bytes, smallest_segment, largest_segment);
  if (active_) active_->set_options(options_);
  if (options_.visible_on_append) {
    control_.block().high_watermark.store(log_end_offset().value(), std::memory_order_release);
    producers_.show(log_end_offset());
  }
  requires_keys_.store(options.cleanup_compact);
  control_.block().delayed.store(options.delayed_delivery ? 1 : 0, std::memory_order_release);
  // Gaps stay when compaction is switched off.
  if (options.cleanup_compact && control_.block().compacted == 0) {
    leave_clean();
    control_.block().compacted = 1;
  }
}

Result<SegmentListPtr> Log::segments() {
  const std::lock_guard lock(list_mutex_);
  return list_;
}

void Log::replace_list(std::vector<SegmentPtr> segments) {
  auto list = std::make_shared<SegmentList>();
  list->segments = std::move(segments);
  const std::lock_guard lock(list_mutex_);
  list->generation = (control_.block().segments_generation.load() | 1) + 1;
  list_ = std::move(list);
  control_.block().segments_generation.store(list_->generation, std::memory_order_release);
}

void Log::publish_active() {
  ControlBlock& block = control_.block();
  store_identity(block, active_->identity().value_or(os::FileIdentity{}));
  block.active_end.store(active_->end());
  block.active_base_offset.store(active_->segment()->base_offset().value(),
                                 std::memory_order_release);
}

std::uint64_t Log::size_bytes() const {
  const std::lock_guard lock(list_mutex_);
  std::uint64_t total = 0;
  for (const auto& segment : list_->segments) {
    total += segment->file_bytes().value_or(std::uint64_t{0});
  }
  return total;
}

Error Log::why_unusable() const {
  if (closed_) return {Errc::closed, "the log in " + directory_->path() + " is closed"};
  return {Errc::log_failed,
          "the log in " + directory_->path() + " stopped after a failed write or sync (" +
              failure_->message() +
              "); close it and open it again to go on from what is on the disk",
          failure_->os_code()};
}

Result<void> Log::fail(Error error) {
  const std::lock_guard lock(mutex_);
  return fail_locked(std::move(error));
}

Result<void> Log::fail_locked(Error error) {
  if (!failed_.load()) {
    failure_ = error;
    failed_.store(true);
    control_.block().state.store(static_cast<std::uint32_t>(ControlState::failed));
  }
  return error;
}

Result<void> Log::resume_locked() {
  auto list = *segments();
  ControlBlock& block = control_.block();
  if (list->segments.empty()) {
    MILLRACE_CHECK(roll_locked(log_end_offset()));
  } else {
    // Opened now if it is not yet: later its files will have more in them than it is to show.
    const SegmentPtr& resting = list->segments.back();
    MILLRACE_CHECK(resting->open());
    TimeEntry largest = recovered_largest_;
    if (report_.kind == RecoveryKind::clean) {
      MILLRACE_TRY(largest, resting->largest(log_end_offset()));
    }
    auto segment = std::make_shared<Segment>(directory_, resting->base_offset(),
                                             SegmentMode::active, limits());
    block.state.store(static_cast<std::uint32_t>(ControlState::live));
    MILLRACE_TRY(active_, ActiveSegment::resume(segment, resting->end(), largest, options_));
    const bool unsynced = std::erase(recovered_unsynced_, resting) != 0;
    flushed_position_ = unsynced ? 0 : active_->end();
    publish_active();
    std::vector<SegmentPtr> rest = list->segments;
    rest.back() = std::move(segment);
    replace_list(std::move(rest));
  }
  block.state.store(static_cast<std::uint32_t>(ControlState::live));
  return {};
}

Result<void> Log::roll_locked(Offset base) {
  // What a roll that failed left behind must not get between two segments.
  if (unused_ && *unused_ != base) MILLRACE_CHECK(remove_segment_files(directory_, *unused_));
  unused_ = base;
  MILLRACE_TRY(auto next, ActiveSegment::create(directory_, base, options_));
  unused_.reset();
  leave_clean();
  auto list = *segments();
  std::vector<SegmentPtr> segments = list->segments;
  segments.push_back(next->segment());
  const std::shared_ptr<ActiveSegment> previous = std::exchange(active_, std::move(next));
  flushed_position_ = 0;
  directory_dirty_ = true;
  producers_.take_snapshot(base, segments);
  publish_active();
  replace_list(std::move(segments));
  if (!previous) return {};
  // Readers know by now where the sealed segment ends, so its spare blocks may go.
  unsynced_.push_back(previous);
  previous->seal();
  return {};
}

Result<void> Log::roll() {
  const std::lock_guard lock(mutex_);
  MILLRACE_CHECK(check_usable());
  if (!active_) {
    const auto list = *segments();
    if (list->segments.empty() || list->segments.back()->end() == 0) return {};
    MILLRACE_CHECK(resume_locked());
  }
  if (active_->end() == 0) return {};
  return roll_locked(log_end_offset());
}

Result<void> Log::prepare() {
  std::shared_ptr<ActiveSegment> active;
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || failed_.load()) return {};
    active = active_;
  }
  if (!active) return {};
  return active->prepare();
}

Result<void> Log::snapshot_producers() {
  // A truncation meanwhile would find it in its way.
  const std::lock_guard cleaning(clean_mutex_);
  std::optional<LogProducers::Snapshot> snapshot;
  {
    const std::lock_guard lock(mutex_);
    MILLRACE_CHECK(check_usable());
    snapshot = producers_.begin_snapshot(log_end_offset());
  }
  if (!snapshot) return {};
  auto written = write_snapshot(directory_, snapshot->end, snapshot->content);
  const std::lock_guard lock(mutex_);
  return producers_.finish_snapshot(*snapshot, std::move(written), (*segments())->segments);
}

std::size_t Log::expire_producers() {
  const std::lock_guard lock(mutex_);
  return producers_.expire(clock_->now(), options_.producer_expiration);
}

Result<void> Log::save_epochs() {
  Unsynced epochs;
  epochs.directory = directory_dirty_;
  epochs.epochs = epochs_;
  MILLRACE_CHECK(sync_unsynced(epochs));
  directory_dirty_ = false;
  return {};
}

Result<void> Log::sync_unsynced(const Unsynced& unsynced) {
  for (const auto& segment : unsynced.recovered) MILLRACE_CHECK(segment->sync_files());
  for (const auto& segment : unsynced.sealed) {
    MILLRACE_CHECK(segment->sync_sealed());
    MILLRACE_CHECK(sync_transaction_index(directory_, segment->segment()->base_offset()));
  }
  // Recovery takes it that a log with anything flushed has a control file, and then its epochs.
  if (unsynced.directory) {
    MILLRACE_CHECK(control_.sync());
    MILLRACE_CHECK(directory_->sync());
  }
  if (unsynced.epochs) return unsynced.epochs->save(directory_);
  return {};
}

Log::Unsynced Log::take_unsynced() {
  Unsynced unsynced;
  unsynced.sealed = unsynced_;
  unsynced.recovered = recovered_unsynced_;
  unsynced.directory = std::exchange(directory_dirty_, false);
  if (std::exchange(epochs_dirty_, false)) unsynced.epochs = epochs_;
  return unsynced;
}

void Log::forget_synced(std::size_t sealed) {
  unsynced_.erase(unsynced_.begin(), unsynced_.begin() + static_cast<std::ptrdiff_t>(sealed));
}

void Log::publish_flushed(Offset end) {
  ControlBlock& block = control_.block();
  block.flushed_offset.store(end.value(), std::memory_order_release);
  // It may be above, if appends were visible at once until just now.
  if (!options_.visible_on_append && high_watermark() < end) {
    block.high_watermark.store(end.value(), std::memory_order_release);
    producers_.show(end);
  }
}

Result<Offset> Log::flush() {
  const std::lock_guard one_flush(flush_mutex_);
  return flush_alone();
}

Result<Offset> Log::flush_alone() {
  Unsynced unsynced;
  std::shared_ptr<ActiveSegment> active;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  Offset end;
  {
    const std::lock_guard lock(mutex_);
    MILLRACE_CHECK(check_usable());
    end = log_end_offset();
    if (end == flushed_offset() && unsynced_.empty()) return end;
    unsynced = take_unsynced();
    active = active_;
    from = flushed_position_;
    to = active ? active->end() : 0;
  }
  auto synced = sync_unsynced(unsynced);
  if (synced && to > from) synced = active->sync(from, to);
  if (!synced) return fail(std::move(synced).error()).error();
  const std::lock_guard lock(mutex_);
  forget_synced(unsynced.sealed.size());
  recovered_unsynced_.clear();
  if (active_ == active) flushed_position_ = to;
  publish_flushed(end);
  // Recovery takes it that a segment with anything flushed begins no higher than the control file
  // says: the first flush behind a roll tells it.
  if (!unsynced.sealed.empty()) {
    if (auto done = control_.sync(); !done) return fail_locked(std::move(done).error()).error();
  }
  return end;
}

Result<void> Log::flush_sealed() {
  const std::lock_guard one_flush(flush_mutex_);
  Unsynced unsynced;
  Offset base;
  {
    const std::lock_guard lock(mutex_);
    MILLRACE_CHECK(check_usable());
    const auto list = segments();
    const bool nothing_to_do = unsynced_.empty() && recovered_unsynced_.empty();
    if (nothing_to_do || !list || (*list)->segments.empty()) return {};
    unsynced = take_unsynced();
    base = (*list)->segments.back()->base_offset();
  }
  auto synced = sync_unsynced(unsynced);
  if (!synced) return fail(std::move(synced).error());
  const std::lock_guard lock(mutex_);
  forget_synced(unsynced.sealed.size());
  recovered_unsynced_.clear();
  if (flushed_offset() < base) publish_flushed(base);
  if (auto done = control_.sync(); !done) return fail_locked(std::move(done).error());
  return {};
}

Result<void> Log::close() {
  const std::lock_guard cleaning(clean_mutex_);
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return {};
  }
  const std::lock_guard one_flush(flush_mutex_);
  auto flushed = flush_alone();
  const std::lock_guard lock(mutex_);
  closed_ = true;
  if (!flushed) return std::move(flushed).error();
  if (static_cast<ControlState>(control_.block().state.load()) == ControlState::clean) return {};
  auto sealed = seal_log();
  if (!sealed) return fail_locked(std::move(sealed).error());
  return {};
}

Result<void> Log::seal_log() {
  // What was recovered and not appended to has its files still as a kill left them.
  if (!active_ && !(*segments())->segments.empty()) MILLRACE_CHECK(resume_locked());
  if (active_) {
    active_->seal();
    unsynced_.push_back(active_);
    directory_dirty_ = true;  // of a transaction index
    control_.block().active_end.store(active_->end());
  }
  MILLRACE_CHECK(sync_unsynced(take_unsynced()));
  publish_flushed(log_end_offset());  // others may have appended behind the last flush
  producers_.take_snapshot(log_end_offset(), (*segments())->segments);
  control_.seal();
  return control_.sync();
}

}  // namespace millrace::inline v0::storage
