#include <deque>
#include <millrace/engine/broker_core.hpp>
#include <millrace/producer.hpp>

#include "owner_socket.hpp"
#include "producer_lane.hpp"

namespace millrace::inline v0 {

struct ProducerCore::Impl {
  std::shared_ptr<detail::LaneContext> context = std::make_shared<detail::LaneContext>();
  std::shared_ptr<const engine::TopicCore> topic;
  Partitioner partitioner;
  using Lanes = std::vector<std::shared_ptr<detail::Lane>>;
  std::deque<Lanes> all_lanes;  // the last one counts; senders may still look at those before it
  std::atomic<const Lanes*> current_lanes{nullptr};
  detail::TransactionSeat seat;  // of nobody without transactions

  Result<PartitionId> route(const OutgoingRecord& record) const;
  const Lanes& lanes() const noexcept { return *current_lanes.load(std::memory_order_acquire); }
  void add_lanes(const engine::TopicCore& of);
  bool has_room(std::size_t bytes) const;
  bool wait_for_room(std::size_t bytes);
};

void ProducerCore::Impl::add_lanes(const engine::TopicCore& of) {
  Lanes lanes = all_lanes.empty() ? Lanes() : all_lanes.back();
  while (lanes.size() < of.partitions.size()) {
    lanes.push_back(std::make_shared<detail::Lane>(of.partitions[lanes.size()], context));
  }
  // Of an attachment; what is stored there was understood by the owner.
  const auto config = engine::parse_topic_config(engine::usable_settings(of.entry.config));
  while (config && !context->owner_socket.empty() && lanes.size() < of.readers.size()) {
    lanes.push_back(std::make_shared<detail::Lane>(of.readers[lanes.size()], *config, context));
  }
  current_lanes.store(&all_lanes.emplace_back(std::move(lanes)), std::memory_order_release);
}

Result<PartitionId> ProducerCore::Impl::route(const OutgoingRecord& record) const {
  const auto count = static_cast<std::int32_t>(lanes().size());
  if (count == 0) {
    return Error(Errc::read_only, "sending to topic " + topic->entry.name +
                                      ": this process is attached read-only; send in the process "
                                      "that owns the directory");
  }
  const PartitionId chosen = record.partition
                                 ? *record.partition
                                 : partitioner({record.key, record.value.value_or(Bytes()), count,
                                                context->options.batch_bytes});
  if (chosen >= 0 && chosen < count) return chosen;
  return Error(Errc::unknown_partition, "topic " + topic->entry.name + " has partitions 0 to " +
                                            std::to_string(count - 1) + ", not " +
                                            std::to_string(chosen))
      .at(topic->entry.name, chosen);
}

bool ProducerCore::Impl::has_room(std::size_t bytes) const {
  const std::size_t used = context->buffered_bytes.load(std::memory_order_relaxed);
  return used == 0 || used + bytes <= context->options.buffer_bytes;
}

bool ProducerCore::Impl::wait_for_room(std::size_t bytes) {
  using clock = std::chrono::steady_clock;
  const auto deadline = clock::now() + context->options.max_block;
  while (!has_room(bytes)) {
    if (clock::now() >= deadline) return false;
    for (const auto& lane : lanes()) lane->drain();
  }
  return true;
}

ProducerCore::ProducerCore(const Broker& broker, std::shared_ptr<const engine::TopicCore> topic,
                           ProducerOptions options)
    : ProducerCore(broker, std::move(topic), std::move(options), detail::TransactionSeat()) {}

ProducerCore::ProducerCore(const Broker& broker, std::shared_ptr<const engine::TopicCore> topic,
                           ProducerOptions options, detail::TransactionSeat seat)
    : impl_(std::make_shared<Impl>()) {
  impl_->context->is_transactional = static_cast<bool>(seat.admit);
  impl_->context->identity = seat.producer;
  impl_->seat = std::move(seat);
  if (impl_->seat.admit) options.idempotent = true;
  impl_->context->broker = broker.core();
  if (broker.is_attached()) impl_->context->owner_socket = detail::owner_socket(broker.path());
  impl_->topic = std::move(topic);
  impl_->partitioner =
      options.partitioner ? std::move(options.partitioner) : partitioner::murmur2();
  impl_->context->options = std::move(options);
  impl_->add_lanes(*impl_->topic);
}

void ProducerCore::grow(const engine::TopicCore& topic) {
  if (topic.partitions.size() > impl_->lanes().size()) impl_->add_lanes(topic);
}

ProducerCore::ProducerCore(ProducerCore&&) noexcept = default;
ProducerCore& ProducerCore::operator=(ProducerCore&& other) noexcept {
  ProducerCore taken(std::move(other));
  impl_.swap(taken.impl_);
  return *this;
}
ProducerCore::~ProducerCore() {
  if (!impl_) return;
  static_cast<void>(flush());
  impl_->context->give_identity_back();
}

PendingReceipt ProducerCore::refuse(const Error& error, const DeliveryCallback& callback) {
  impl_->context->note(error);
  PendingReceipt pending;
  pending.error_ = error;
  if (callback) callback(error);
  return pending;
}

PendingReceipt ProducerCore::send(OutgoingRecord record) {
  const auto partition = impl_->route(record);
  if (!partition) return refuse(partition.error(), record.callback);
  detail::Lane& lane = *impl_->lanes()[static_cast<std::size_t>(*partition)];
  if (impl_->seat.needs_admission(lane.admitted_in())) [[unlikely]] {
    if (const auto admitted = impl_->seat.admit(*partition, lane.admitted_in()); !admitted) {
      return refuse(admitted.error(), record.callback);
    }
  }
  const std::size_t bytes =
      record::BatchBuilder::record_bound(record.key, record.value, record.headers);
  PendingReceipt pending;
  if (!impl_->has_room(bytes) && !impl_->wait_for_room(bytes)) {
    pending.status_ = SendStatus::back_pressure;
    pending.error_ =
        Error(Errc::back_pressure, "the producer's buffer of " +
                                       std::to_string(impl_->context->options.buffer_bytes) +
                                       " bytes is full; send again later, or raise buffer_bytes")
            .at(impl_->topic->entry.name, *partition);
    // Who sends in a transaction need not look at each receipt.
    if (impl_->seat.admit) impl_->context->note(*pending.error_);
    return pending;
  }
  DeliveryCallback callback = std::move(record.callback);
  auto sent = lane.add(record, callback);
  if (!sent) return refuse(sent.error(), callback);
  pending.status_ = SendStatus::accepted;
  pending.batch_ = std::move(sent->batch);
  pending.index_ = sent->index;
  return pending;
}

Result<void> ProducerCore::push() {
  for (const auto& lane : impl_->lanes()) lane->push();
  return impl_->context->take_error();
}

Result<void> ProducerCore::flush() {
  for (const auto& lane : impl_->lanes()) lane->drain();
  return impl_->context->take_error();
}

bool PendingReceipt::is_done() const noexcept {
  return !batch_ || batch_->is_done();
}

Result<Receipt> PendingReceipt::get() const {
  if (!batch_) return *error_;
  batch_->lane->wait_for(*batch_);
  return batch_->receipt(index_);
}

}  // namespace millrace::inline v0
