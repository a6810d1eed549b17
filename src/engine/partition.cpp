#include <millrace/engine/partition.hpp>

namespace millrace::inline v0::engine {

Partition::Partition(std::string topic, PartitionId id, std::unique_ptr<storage::Log> log,
                     TopicConfig config, Scheduler& scheduler, const WakeHub& hub)
    : PartitionReader({std::move(topic), id}),
      log_(std::move(log)),
      scheduler_(scheduler),
      hub_(hub),
      config_(std::move(config)),
      policies_{config_.flush},
      policy_(config_.flush.get()),
      before_ack_(config_.flush->before_ack()),
      timed_(config_.flush->interval().has_value()) {}

TopicConfig Partition::config() const {
  const std::lock_guard lock(config_mutex_);
  return config_;
}

void Partition::set_config(TopicConfig config) {
  const std::lock_guard lock(config_mutex_);
  config.use_flush(config_.flush);
  log_->set_options(config.log);
  config_ = std::move(config);
}

Result<void> Partition::set_flush_policy(FlushPolicyPtr policy) {
  MILLRACE_CHECK(flush());
  {
    const std::lock_guard lock(config_mutex_);
    config_.use_flush(policy);
    before_ack_.store(policy->before_ack());
    timed_.store(policy->interval().has_value());
    policy_.store(policy.get());
    policies_.push_back(std::move(policy));
    log_->set_options(config_.log);
    flush_armed_.store(false);  // by the old one, perhaps for much later
  }
  tell_readers();  // what waited for a sync may be visible now
  return flush();  // what came meanwhile
}

void Partition::watch(std::function<void()> watcher) {
  const std::lock_guard lock(config_mutex_);
  const Watchers* before = watching_.load();
  auto watchers = std::make_unique<Watchers>(before != nullptr ? *before : Watchers());
  watchers->push_back(std::move(watcher));
  watching_.store(watchers.get(), std::memory_order_release);
  watchers_.push_back(std::move(watchers));
}

void Partition::tell_readers() {
  hub_.notify(log_->mutable_control());
  if (const Watchers* watching = watching_.load(std::memory_order_acquire)) [[unlikely]] {
    for (const auto& watcher : *watching) watcher();
  }
}

Result<storage::Appended> Partition::append(MutableBytes batch, storage::AppendOrigin origin) {
  auto appended = log_->append(batch, LeaderEpoch{0}, origin);
  if (!appended) return located(appended.error());
  after_append(*appended);
  return appended;
}

Result<storage::Appended> Partition::append_record(Timestamp time, std::optional<Bytes> key,
                                                   std::optional<Bytes> value,
                                                   std::span<const record::HeaderView> headers) {
  auto appended = log_->append_record(time, key, value, headers);
  if (!appended) [[unlikely]]
    return located(appended.error());
  after_append(*appended);
  return appended;
}

void Partition::after_append(const storage::Appended& appended) {
  if (appended.rolled) [[unlikely]]
    post(&Partition::flush_sealed_task);
  if (appended.wants_room && !prepare_posted_.exchange(true)) post(&Partition::prepare_task);
  if (appended.wants_snapshot && !snapshot_posted_.exchange(true)) {
    post(&Partition::snapshot_task);
  }
  if (flushes_before_ack()) return;
  tell_readers();
  const FlushProgress progress{appended.next_offset - log_->flushed_offset()};
  const FlushPolicyBase& policy = *policy_.load(std::memory_order_acquire);
  if (policy.due(progress)) {
    // The error, if any, stays with the log and meets the next append.
    static_cast<void>(flush());
  } else if (timed_.load(std::memory_order_relaxed) &&
             !flush_armed_.load(std::memory_order_relaxed)) {
    arm_flush();
  }
}

void Partition::arm_flush() {
  const auto interval = policy_.load(std::memory_order_acquire)->interval();
  if (!interval || flush_armed_.exchange(true)) return;
  scheduler_.at(scheduler_.clock().steady() + *interval, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->interval_task();
  });
}

void Partition::interval_task() {
  flush_armed_.store(false);
  report(flush());
  if (!log_->has_failed() && log_->flushed_offset() < log_->log_end_offset()) arm_flush();
}

void Partition::post(void (Partition::*task)()) {
  scheduler_.post([weak = weak_from_this(), task] {
    if (const auto self = weak.lock()) (self.get()->*task)();
  });
}

void Partition::prepare_task() {
  prepare_posted_.store(false);
  // Without space ahead, the appender asks for less and reports what it gets.
  static_cast<void>(log_->prepare());
}

void Partition::snapshot_task() {
  snapshot_posted_.store(false);
  auto done = log_->snapshot_producers();
  if (!done) report(located(done.error()));
}

void Partition::flush_sealed_task() {
  auto done = log_->flush_sealed();
  if (!done) report(located(done.error()));
}

void Partition::clean_task() {
  report(clean());
}

void Partition::report(const Result<void>& done) const {
  // A topic that was deleted meanwhile is no failure.
  if (!done && done.error().code() != Errc::closed) scheduler_.report(done.error());
}

Result<bool> Partition::wait_acknowledged(Offset end) {
  if (!flushes_before_ack()) return false;
  auto done = commit_.wait_for(*log_, end);
  if (!done) return located(done.error());
  tell_readers();
  return true;
}

Result<void> Partition::flush() {
  auto done = commit_.wait_for(*log_, log_->log_end_offset());
  if (!done) return located(done.error());
  tell_readers();
  return done;
}

Result<void> Partition::clean() {
  const storage::LogOptions options = log_->options();
  auto step = [&]() -> Result<void> {
    MILLRACE_CHECK(log_->remove_deleted());
    log_->expire_producers();
    MILLRACE_CHECK(log_->apply_retention());
    if (options.cleanup_compact) MILLRACE_CHECK(log_->compact());
    return {};
  }();
  if (!step) return located(step.error());
  return step;
}

Result<void> Partition::close() {
  auto closed = log_->close();
  if (!closed) return located(closed.error());
  return closed;
}

}  // namespace millrace::inline v0::engine
