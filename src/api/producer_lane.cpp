#include "producer_lane.hpp"

#include <algorithm>
#include <millrace/core/crc32c.hpp>
#include <millrace/delayed.hpp>
#include <millrace/engine/broker_core.hpp>
#include <millrace/os/wait_word.hpp>

namespace millrace::inline v0::detail {

Result<Receipt> SentBatch::receipt(std::int32_t index) const {
  if (error) return *error;
  return Receipt{
      lane->partition_id(), base_offset + index,
      append_time == Timestamp::none() ? timestamps[static_cast<std::size_t>(index)] : append_time,
      durability};
}

void LaneContext::note(const Error& error) {
  const std::lock_guard lock(error_mutex);
  if (!first_error) first_error = error;
}

Result<void> LaneContext::take_error() {
  const std::lock_guard lock(error_mutex);
  auto error = std::exchange(first_error, std::nullopt);
  return error ? Result<void>(*std::move(error)) : Result<void>();
}

Result<record::ProducerIdentity> LaneContext::identify() {
  const std::lock_guard lock(identity_mutex);
  if (identity.id < 0) {
    MILLRACE_TRY(identity, owner_socket.empty()
                               ? broker->take_producer_id()
                               : client::OwnerLink(owner_socket).take_producer_id());
  }
  return identity;
}

void LaneContext::give_identity_back() {
  if (is_transactional || !owner_socket.empty()) return;
  const std::lock_guard lock(identity_mutex);
  if (identity.id >= 0) broker->give_back(std::exchange(identity, {}));
}

Lane::Lane(std::shared_ptr<engine::Partition> partition, std::shared_ptr<LaneContext> context)
    : reader_(partition), partition_(std::move(partition)), context_(std::move(context)) {
  const engine::TopicConfig config = partition_->config();
  batch_options_.transactional = context_->is_transactional;
  batch_options_.codec = context_->options.compression.value_or(config.compression);
  // A full batch must be one that the topic takes.
  batch_bytes_ = std::min({context_->options.batch_bytes, std::size_t{config.log.max_message_bytes},
                           static_cast<std::size_t>(config.log.segment_bytes)});
  builder_.reset(batch_options_);
}

Lane::Lane(std::shared_ptr<engine::PartitionReader> partition, const engine::TopicConfig& config,
           std::shared_ptr<LaneContext> context)
    : reader_(std::move(partition)),
      owner_(std::make_unique<client::OwnerLink>(context->owner_socket)),
      context_(std::move(context)) {
  batch_options_.codec = context_->options.compression.value_or(config.compression);
  batch_bytes_ = std::min(context_->options.batch_bytes, std::size_t{config.log.max_message_bytes});
  builder_.reset(batch_options_);
}

Result<void> Lane::open_batch() {
  if (context_->options.idempotent && batch_options_.producer.id < 0) {
    MILLRACE_TRY(batch_options_.producer, context_->identify());
    builder_.reset(batch_options_);
  }
  gathering_ = std::make_shared<SentBatch>();
  gathering_->lane = shared_from_this();
  return {};
}

/// What the log would refuse, together with the others of its batch. An owner finds it itself.
Result<void> Lane::check(const OutgoingRecord& record) {
  if (!record.key && partition_ && partition_->log().requires_keys()) {
    return storage::Log::key_missing().at(reader_->topic(), reader_->id());
  }
  if (!record.headers.empty() && reader_->delays()) {
    if (auto good = check_deliver_at(record.headers); !good) {
      return std::move(good).error().at(reader_->topic(), reader_->id());
    }
  }
  return {};
}

Result<Lane::Sent> Lane::add(const OutgoingRecord& record, DeliveryCallback callback) {
  if (!record.key || !record.headers.empty()) MILLRACE_CHECK(check(record));
  const std::size_t bound =
      record::BatchBuilder::record_bound(record.key, record.value, record.headers);
  const Timestamp time = record.timestamp ? *record.timestamp : context_->broker->clock().now();
  Lock lock(mutex_);
  // Again, because while one batch is acknowledged others may have filled the next.
  while (gathering_ && builder_.size_bytes() + bound > batch_bytes_) dispatch(lock);
  if (!gathering_) MILLRACE_CHECK(open_batch());
  auto added = builder_.add(time, record.key, record.value, record.headers);
  if (!added) {
    if (builder_.empty()) gathering_.reset();
    return added.error().at(reader_->topic(), reader_->id());
  }
  SentBatch& batch = *gathering_;
  const std::int32_t index = builder_.record_count() - 1;
  batch.timestamps.push_back(time);
  batch.bytes += bound;
  context_->buffered_bytes.fetch_add(bound, std::memory_order_relaxed);
  if (callback) batch.callbacks.emplace_back(index, std::move(callback));
  Sent sent{gathering_, index};
  const bool full = builder_.size_bytes() >= batch_bytes_;
  if (full || (context_->options.linger.count() <= 0 && !leading_)) dispatch(lock);
  if (gathering_ || !appended_.empty()) arm_timer();
  return sent;
}

void Lane::arm_timer() {
  plan(context_->options.linger, &Lane::timer_armed_);
}

void Lane::plan(std::chrono::nanoseconds wait, bool Lane::*planned) {
  if (std::exchange(this->*planned, true)) return;
  engine::Scheduler& scheduler = context_->broker->scheduler();
  scheduler.at(scheduler.clock().steady() + wait, [weak = weak_from_this(), planned] {
    if (const auto self = weak.lock()) self->take_turn(planned);
  });
}

void Lane::take_turn(bool Lane::*planned) {
  Lock lock(mutex_);
  this->*planned = false;
  if (leading_) {
    timer_missed_ = true;
  } else {
    lead(lock, nullptr);
  }
}

namespace {

/// It was opened before it was known whether the one before it would be appended.
void number_batch(MutableBytes batch, const record::ProducerIdentity& producer) {
  namespace layout = record::layout;
  store_big(batch.data() + layout::producer_id, producer.id);
  store_big(batch.data() + layout::producer_epoch, producer.epoch);
  store_big(batch.data() + layout::base_sequence, producer.base_sequence);
  const Bytes checked = Bytes(batch).subspan(layout::attributes);
  store_big(batch.data() + layout::crc, crc32c(checked));
}

}  // namespace

/// Without the lock while the owner appends: what comes meanwhile gathers for the next batch.
void Lane::dispatch_to_owner(Lock& lock) {
  owner_answered_.wait(lock, [&] { return at_owner_ == nullptr; });
  if (!gathering_) return;  // it went out meanwhile
  const std::shared_ptr<SentBatch> batch = std::exchange(gathering_, nullptr);
  at_owner_ = batch;
  const std::int32_t count = builder_.record_count();
  const auto finished = builder_.finish();
  std::vector<std::byte> bytes;
  if (finished) bytes.assign(finished->begin(), finished->end());
  builder_.reset(batch_options_);
  record::ProducerIdentity producer = batch_options_.producer;
  lock.unlock();
  auto appended = [&]() -> Result<client::OwnerLink::Appended> {
    if (!finished) return finished.error();
    // One that failed may have been appended all the same: the next one must not look like it.
    if (needs_new_id_) {
      MILLRACE_TRY(producer, owner_->take_producer_id());
    }
    if (producer.id >= 0) number_batch(bytes, producer);
    return owner_->append(reader_->name(), bytes);
  }();
  lock.lock();
  needs_new_id_ = !appended && producer.id >= 0;
  if (appended && producer.id >= 0) {
    producer.base_sequence = storage::sequence_plus(producer.base_sequence, count);
    batch_options_.producer = producer;
  }
  if (appended) {
    batch->base_offset = appended->base_offset;
    batch->next_offset = appended->base_offset + count;
    batch->append_time = appended->append_time;
    const auto& flushed = reader_->source().control().flushed_offset;
    const bool is_flushed = Offset{flushed.load(std::memory_order_acquire)} >= batch->next_offset;
    if (is_flushed) batch->durability = Durability::flushed;
  }
  finish(lock, batch, appended ? std::nullopt : std::optional(appended.error()));
  at_owner_ = nullptr;
  owner_answered_.notify_all();
}

void Lane::dispatch(Lock& lock) {
  if (owner_) return dispatch_to_owner(lock);
  const std::shared_ptr<SentBatch> batch = std::move(gathering_);
  auto appended = [&]() -> Result<storage::Appended> {
    auto bytes = builder_.finish();
    if (!bytes) return std::move(bytes).error();
    return partition_->append(*bytes);
  }();
  // One that failed is not part of the log: the next one takes its sequences.
  std::int32_t& sequence = batch_options_.producer.base_sequence;
  if (appended && sequence >= 0) {
    sequence = storage::sequence_plus(sequence, builder_.record_count());
  }
  builder_.reset(batch_options_);
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
  finish_all(lock, {batch}, error);
}

void Lane::finish_all(Lock& lock, const std::vector<std::shared_ptr<SentBatch>>& batches,
                      const std::optional<Error>& error) {
  const bool called_back = std::any_of(batches.begin(), batches.end(),
                                       [](const auto& b) { return !b->callbacks.empty(); });
  // Before anybody sees that a batch is done: see drain().
  std::unique_lock delivery(delivery_mutex_, std::defer_lock);
  if (called_back) delivery.lock();
  for (const auto& batch : batches) {
    batch->error = error;
    if (error) context_->note(*error);
    context_->buffered_bytes.fetch_sub(batch->bytes, std::memory_order_relaxed);
    batch->state.fetch_or(1);
  }
  // Those who wake must not run into the lock that they need to send again.
  lock.unlock();
  for (const auto& batch : batches) {
    if (batch->sleepers.load() != 0) os::wake_all(batch->state);
  }
  for (const auto& batch : batches) {
    for (const auto& [index, callback] : batch->callbacks) callback(batch->receipt(index));
    batch->callbacks.clear();
  }
  if (called_back) delivery.unlock();
  lock.lock();
}

/// Syncs what was appended; whether it had anything to do.
bool Lane::sync_appended(Lock& lock) {
  if (at_owner_) {
    owner_answered_.wait(lock, [&] { return at_owner_ == nullptr; });
    return true;
  }
  if (appended_.empty()) return false;
  const Offset end = appended_.back()->next_offset;
  lock.unlock();
  const auto acknowledged = partition_->wait_acknowledged(end);
  lock.lock();
  std::vector<std::shared_ptr<SentBatch>> finished;
  while (!appended_.empty() && appended_.front()->next_offset <= end) {
    finished.push_back(std::move(appended_.front()));
    if (acknowledged && *acknowledged) finished.back()->durability = Durability::flushed;
    appended_.pop_front();
  }
  finish_all(lock, finished, acknowledged ? std::nullopt : std::optional(acknowledged.error()));
  return true;
}

void Lane::lead(Lock& lock, const SentBatch* own) {
  // Waking another leader takes a good part of a sync, during which the disk would idle: so who
  // leads serves the others a few times more before it goes.
  constexpr int extra_rounds = 8;
  // The schedule has others to serve, however much comes meanwhile from those who do not wait.
  constexpr int scheduled_rounds = 2;
  int rounds = own != nullptr ? extra_rounds : scheduled_rounds;
  leading_ = true;
  bool is_idle = false;
  while (!is_idle && ((own != nullptr && !own->is_done()) || rounds-- > 0)) {
    if (gathering_) dispatch(lock);
    is_idle = !sync_appended(lock);
  }
  leading_ = false;
  const bool missed = std::exchange(timer_missed_, false);
  if (gathering_ || !appended_.empty()) {
    if (own == nullptr && !is_idle) plan({}, &Lane::turn_planned_);
    if (missed) arm_timer();
  }
  hand_over();
}

/// Calls one of those who wait for what is still to do; the others wait on for that one.
void Lane::hand_over() {
  bool called = false;
  const auto call = [&](SentBatch& batch) {
    batch.state.fetch_add(2);
    if (called || batch.sleepers.load() == 0) return;
    os::wake_one(batch.state);
    called = true;
  };
  for (const auto& batch : appended_) call(*batch);
  if (gathering_) call(*gathering_);
}

void Lane::wait_for(SentBatch& batch) {
  for (;;) {
    const std::uint32_t seen = batch.state.load(std::memory_order_acquire);
    if ((seen & 1) != 0) return;
    if (!leading_.load()) {
      Lock lock(mutex_);
      if (!leading_.load() && !batch.is_done()) lead(lock, &batch);
      continue;
    }
    // If the leader goes after this look, it changes the state first.
    batch.sleepers.fetch_add(1);
    os::wait_on(batch.state, seen);
    batch.sleepers.fetch_sub(1);
  }
}

void Lane::push() {
  Lock lock(mutex_);
  if (gathering_) dispatch(lock);
}

void Lane::drain() {
  std::shared_ptr<SentBatch> last;
  {
    const Lock lock(mutex_);
    last = gathering_ ? gathering_ : appended_.empty() ? at_owner_ : appended_.back();
  }
  if (last) wait_for(*last);
  // What another thread has just finished may still be in its callbacks.
  const std::lock_guard delivery(delivery_mutex_);
}

}  // namespace millrace::inline v0::detail
