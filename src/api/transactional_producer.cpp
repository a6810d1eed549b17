#include <atomic>
#include <map>
#include <millrace/engine/broker_core.hpp>
#include <millrace/server/transaction_service.hpp>
#include <millrace/transactional_producer.hpp>
#include <mutex>

namespace millrace::inline v0 {

namespace detail {

/// A producer's sending side for one topic.
struct TopicSeat {
  std::string name;
  std::optional<ProducerCore> core;
};

struct TransactionalState {
  TransactionalState(const Broker& of, std::shared_ptr<server::TransactionService> by,
                     coordinator::TransactionalProducerId who, TransactionalProducerOptions with)
      : broker(of), service(std::move(by)), id(std::move(who)), options(std::move(with)) {}

  static constexpr std::size_t least_handles = 8;

  Broker broker;
  std::shared_ptr<server::TransactionService> service;
  const coordinator::TransactionalProducerId id;
  const TransactionalProducerOptions options;
  std::mutex mutex;
  std::map<std::string, TopicSeat, std::less<>> topics;  // by the id of the topic
  // Handles on the same topic differ if it was altered or got partitions between.
  using Handles = std::map<std::shared_ptr<const engine::TopicCore>, TopicSeat*>;
  Handles handles;
  std::atomic<const Handles::value_type*> last_handle{nullptr};
  std::size_t handles_to_keep = least_handles;  // more are looked through
  std::uint64_t topics_seen = broker.core()->topics_version();
  std::atomic<std::uint64_t> number{0};  // of the open transaction, or of the last one
  std::atomic<bool> is_open{false};
  std::atomic<bool> is_begun{false};    // it has partitions
  std::atomic<bool> must_abort{false};  // the last one is over here, but not in the log
  std::optional<Error> failure;         // why it can only be aborted
  std::vector<std::function<void(bool)>> listeners;

  TopicSeat& seat_of(const std::shared_ptr<const engine::TopicCore>& topic);
  void forget_topics();
  Result<void> admit(const TopicPartition& partition, std::atomic<std::uint64_t>& admitted_in);
  Result<void> end(bool is_commit);
  Result<void> abort();
  Result<void> fail(const Error& error);
  void close(bool is_committed);
};

TopicSeat& TransactionalState::seat_of(const std::shared_ptr<const engine::TopicCore>& topic) {
  const auto* const last = last_handle.load(std::memory_order_acquire);
  if (last != nullptr && last->first == topic) [[likely]]
    return *last->second;
  const std::lock_guard lock(mutex);
  if (const auto known = handles.find(topic); known != handles.end()) {
    last_handle.store(&*known, std::memory_order_release);
    return *known->second;
  }
  TopicSeat& seat = topics[topic->entry.id];
  if (seat.core) {
    seat.core->grow(*topic);
  } else {
    seat.name = topic->entry.name;
    const auto admit_to = [this, &seat](PartitionId partition,
                                        std::atomic<std::uint64_t>& admitted_in) {
      return admit({seat.name, partition}, admitted_in);
    };
    seat.core.emplace(broker, topic, options.producer,
                      TransactionSeat{{id.producer.id, id.producer.epoch, 0}, admit_to, &number});
  }
  handles.emplace(topic, &seat);
  return seat;
}

/// Between transactions: lets go of topics that were deleted, and of handles on what topics were.
void TransactionalState::forget_topics() {
  engine::BrokerCore& core = *broker.core();
  const std::uint64_t version = core.topics_version();
  const std::lock_guard lock(mutex);
  if (version == topics_seen && handles.size() <= handles_to_keep) return;
  topics_seen = version;
  last_handle.store(nullptr, std::memory_order_release);
  const auto is_current = [&](const auto& handle) {
    const auto now = core.topic(handle.first->entry.name);
    return now && *now == handle.first;
  };
  std::erase_if(handles, [&](const auto& handle) { return !is_current(handle); });
  handles_to_keep = 2 * handles.size() + least_handles;
  std::erase_if(topics, [&](const auto& topic) {
    const auto now = core.topic(topic.second.name);
    if (now) return (*now)->entry.id != topic.first;
    return now.error().code() == Errc::unknown_topic;
  });
}

Result<void> TransactionalState::admit(const TopicPartition& partition,
                                       std::atomic<std::uint64_t>& admitted_in) {
  const std::uint64_t current = number.load(std::memory_order_relaxed);
  const std::lock_guard lock(mutex);
  if (admitted_in.load() == current) return {};
  MILLRACE_CHECK(service->add_partitions(id, {partition}));
  is_begun.store(true);
  admitted_in.store(current, std::memory_order_release);
  return {};
}

Result<void> TransactionalState::end(bool is_commit) {
  Result<void> sent = failure ? Result<void>(*failure) : Result<void>();
  for (auto& [topic, seat] : topics) {
    // What a commit makes durable need not be so before.
    auto pushed = is_commit ? seat.core->push() : seat.core->flush();
    if (!pushed && sent) sent = std::move(pushed);
  }
  if (is_commit && !sent) return fail(sent.error());
  if (!is_begun.load()) return {};
  if (!is_commit) return abort();
  auto ended = service->end(id, true);
  // Acknowledges the records; their errors are those of the end.
  for (auto& [topic, seat] : topics) static_cast<void>(seat.core->flush());
  return ended;
}

Result<void> TransactionalState::abort() {
  auto aborted = service->end(id, false);
  // Whatever was to begin it was refused: there is nothing to abort.
  if (!aborted && aborted.error().code() == Errc::invalid_transaction_state) return {};
  return aborted;
}

Result<void> TransactionalState::fail(const Error& error) {
  // A partition and the coordinator say the same in two ways.
  const bool is_fenced = error.code() == Errc::invalid_producer_epoch;
  failure = is_fenced ? Error(Errc::producer_fenced, error.message()) : error;
  return *failure;
}

void TransactionalState::close(bool is_committed) {
  for (const auto& told : std::exchange(listeners, {})) told(is_committed);
  is_open.store(false);
}

}  // namespace detail

Transaction::Transaction(std::shared_ptr<detail::TransactionalState> state)
    : state_(std::move(state)) {}
Transaction::Transaction(Transaction&& other) noexcept = default;
Transaction& Transaction::operator=(Transaction&& other) noexcept {
  Transaction ended(std::move(*this));
  state_ = std::move(other.state_);
  return *this;
}
Transaction::~Transaction() {
  if (state_) static_cast<void>(abort());
}

Error Transaction::over() {
  return {Errc::invalid_transaction_state,
          "this transaction is over; begin another one with the producer"};
}

void Transaction::on_end(std::function<void(bool)> told) {
  if (state_) state_->listeners.push_back(std::move(told));
}

ProducerCore& Transaction::core_of(const std::shared_ptr<const engine::TopicCore>& topic) {
  return *state_->seat_of(topic).core;
}

Result<void> Transaction::commit_offsets(const coordinator::CommitRequest& request) {
  if (!state_) return over();
  // Whatever becomes of it, it may have begun the transaction.
  state_->is_begun.store(true);
  auto committed = state_->service->commit_offsets(state_->id, request);
  if (!committed) return state_->fail(committed.error());
  return committed;
}

Result<void> Transaction::send_offsets(const std::string& group, const std::string& topic,
                                       PartitionId partition, Offset offset) {
  const Timestamp now = state_ ? state_->broker.core()->clock().now() : Timestamp::none();
  return commit_offsets(
      {{group, {}, -1},
       {{{topic, partition}, {offset, LeaderEpoch::unknown, {}, now, std::nullopt}}}});
}

Result<void> Transaction::commit() {
  if (!state_) return over();
  auto committed = state_->end(true);
  const bool is_over = committed || committed.error().code() == Errc::producer_fenced;
  if (!is_over) return committed;
  std::exchange(state_, nullptr)->close(committed.has_value());
  return committed;
}

Result<void> Transaction::abort() {
  if (!state_) return over();
  const auto state = std::exchange(state_, nullptr);
  auto aborted = state->end(false);
  state->must_abort.store(!aborted);
  state->close(false);
  return aborted;
}

TransactionalProducer::TransactionalProducer(std::shared_ptr<detail::TransactionalState> state)
    : state_(std::move(state)) {}

Result<TransactionalProducer> TransactionalProducer::open(
    const Broker& broker, const std::string& transactional_id,
    const TransactionalProducerOptions& options) {
  MILLRACE_TRY(auto service, server::TransactionService::of(*broker.core()));
  MILLRACE_TRY(const auto producer,
               service->init_producer({transactional_id, options.timeout, {}, true}));
  return TransactionalProducer(std::make_shared<detail::TransactionalState>(
      broker, std::move(service), coordinator::TransactionalProducerId{transactional_id, producer},
      options));
}

Result<Transaction> TransactionalProducer::begin() {
  if (state_->is_open.exchange(true)) {
    return Error(Errc::invalid_transaction_state,
                 "transactional id " + state_->id.transactional_id +
                     ": a transaction is open; commit or abort it before the next one begins");
  }
  if (state_->must_abort.load()) {  // or else this one's commit would be that one's too
    if (auto aborted = state_->abort(); !aborted) {
      state_->is_open.store(false);
      return std::move(aborted).error();
    }
    state_->must_abort.store(false);
  }
  state_->forget_topics();
  state_->is_begun.store(false);
  state_->failure.reset();
  state_->number.fetch_add(1);
  return Transaction(state_);
}

const std::string& TransactionalProducer::transactional_id() const noexcept {
  return state_->id.transactional_id;
}

}  // namespace millrace::inline v0
