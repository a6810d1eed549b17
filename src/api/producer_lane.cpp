#include "producer_lane.hpp"

#include <algorithm>

#include <millrace/engine/broker_core.hpp>

namespace millrace::inline v0::detail {

Result<Receipt> SentBatch::receipt(std::int32_t index) const {
  if (error) return *error;
  const engine::Partition& partition = lane->partition();
  return Receipt{partition.id(), base_offset + index,
                 append_time == Timestamp::none() ? timestamps[static_cast<std::size_t>(index)]
                                                  : append_time,
                 partition.flushes_before_ack() ? Durability::flushed : Durability::written};
}

void LaneContext::note(const Error& error) {
  const std::lock_guard lock(error_mutex);
  if (!first_error) first_error = error;
}

Lane::Lane(std::shared_ptr<engine::Partition> partition, std::shared_ptr<LaneContext> context)
    : partition_(std::move(partition)), context_(std::move(context)) {
  record::BatchOptions options;
  const engine::TopicConfig config = partition_->config();
  options.codec = context_->options.compression.value_or(config.compression);
  // A full batch must be one that the topic takes.
  batch_bytes_ = std::min({context_->options.batch_bytes,
                           std::size_t{config.log.max_message_bytes},
                           static_cast<std::size_t>(config.log.segment_bytes)});
  builder_.reset(options);
}

void Lane::open_batch() {
  gathering_ = std::make_shared<SentBatch>();
  gathering_->lane = shared_from_this();
}

Result<Lane::Sent> Lane::add(const OutgoingRecord& record, DeliveryCallback callback) {
  if (!record.key && partition_->log().requires_keys()) {
    return storage::Log::key_missing().at(partition_->topic(), partition_->id());
  }
  const std::size_t bound =
      record::BatchBuilder::record_bound(record.key, record.value, record.headers);
  const Timestamp time =
      record.timestamp ? *record.timestamp : context_->broker->clock().now();
  Lock lock(mutex_);
  if (gathering_ && builder_.size_bytes() + bound > batch_bytes_) dispatch(lock);
  if (!gathering_) open_batch();
  auto added = builder_.add(time, record.key, record.value, record.headers);
  if (!added) {
    if (builder_.empty()) gathering_.reset();
    return added.error().at(partition_->topic(), partition_->id());
  }
  SentBatch& batch = *gathering_;
  const std::int32_t index = builder_.record_count() - 1;
  batch.timestamps.push_back(time);
  batch.bytes += bound;
  context_->buffered_bytes.fetch_add(bound, std::memory_order_relaxed);
  if (callback) batch.callbacks.emplace_back(index, std::move(callback));
  Sent sent{gathering_, index};
  if (builder_.size_bytes() >= batch_bytes_) {
    dispatch(lock);
  } else if (context_->options.linger.count() <= 0 && !leading_) {
    dispatch(lock);
  }
  if (gathering_ || !appended_.empty()) arm_timer();
  return sent;
}

void Lane::arm_timer() {
  if (timer_armed_) return;
  timer_armed_ = true;
  engine::Scheduler& scheduler = context_->broker->scheduler();
  scheduler.at(scheduler.clock().steady() + context_->options.linger, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_timer();
  });
}

void Lane::on_timer() {
  Lock lock(mutex_);
  timer_armed_ = false;
  if (leading_) {
    timer_missed_ = true;
  } else {
    lead(lock, nullptr);
  }
}

void Lane::dispatch(Lock& lock) {
  const std::shared_ptr<SentBatch> batch = std::move(gathering_);
  auto appended = [&]() -> Result<storage::Appended> {
    auto bytes = builder_.finish();
    if (!bytes) return std::move(bytes).error();
    return partition_->append(*bytes);
  }();
  builder_.reset();
  if (!appended) {
    finish(lock, batch, appended.error());
    return;
  }
  batch->base_offset = appended->base_offset;
  batch->next_offset = appended->next_offset;
  batch->append_time = appended->append_time;
  if (partition_->flushes_before_ack()) {
    appended_.push_back(batch);
  } else {
    finish(lock, batch, std::nullopt);
  }
}

void Lane::finish(Lock& lock, const std::shared_ptr<SentBatch>& batch,
                  const std::optional<Error>& error) {
  batch->error = error;
  if (error) context_->note(*error);
  context_->buffered_bytes.fetch_sub(batch->bytes, std::memory_order_relaxed);
  const auto callbacks = std::move(batch->callbacks);
  batch->done.store(true, std::memory_order_release);
  changed_.notify_all();
  if (callbacks.empty()) return;
  {
    const std::lock_guard delivery(delivery_mutex_);
    lock.unlock();
    for (const auto& [index, callback] : callbacks) callback(batch->receipt(index));
  }
  lock.lock();
}

void Lane::lead(Lock& lock, const std::atomic<bool>* until) {
  leading_ = true;
  if (gathering_) dispatch(lock);
  // Who leads for a batch of its own stops once that is done: others who wait take over.
  while (!appended_.empty() && (until == nullptr || !until->load(std::memory_order_relaxed))) {
    const Offset end = appended_.back()->next_offset;
    lock.unlock();
    const auto acknowledged = partition_->wait_acknowledged(end);
    lock.lock();
    while (!appended_.empty() && appended_.front()->next_offset <= end) {
      const auto batch = std::move(appended_.front());
      appended_.pop_front();
      finish(lock, batch, acknowledged ? std::nullopt : std::optional(acknowledged.error()));
    }
  }
  leading_ = false;
  if (std::exchange(timer_missed_, false) && (gathering_ || !appended_.empty())) arm_timer();
  changed_.notify_all();
}

void Lane::wait_until(Lock& lock, const std::atomic<bool>& done) {
  while (!done.load(std::memory_order_acquire)) {
    if (leading_) {
      changed_.wait(lock);
    } else {
      lead(lock, &done);
    }
  }
}

void Lane::wait_for(const SentBatch& batch) {
  if (batch.done.load(std::memory_order_acquire)) return;
  Lock lock(mutex_);
  wait_until(lock, batch.done);
}

void Lane::drain() {
  Lock lock(mutex_);
  const std::shared_ptr<SentBatch> last = gathering_          ? gathering_
                                          : appended_.empty() ? nullptr
                                                              : appended_.back();
  if (last) wait_until(lock, last->done);
  // What another thread has just finished may still be in its callbacks.
  const std::lock_guard delivery(delivery_mutex_);
}

}  // namespace millrace::inline v0::detail
