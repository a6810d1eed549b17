#include <atomic>
#include <millrace/coordinator/group_records.hpp>
#include <millrace/coordinator/transaction_records.hpp>
#include <millrace/server/group_service.hpp>
#include <millrace/server/transaction_service.hpp>

namespace millrace::inline v0::server {
namespace {

constexpr auto late_write_delay = std::chrono::milliseconds(100);
constexpr auto late_write_retry_delay = std::chrono::seconds(1);

using coordinator::ProducerEpoch;
using coordinator::Token;
using coordinator::TopicPartition;
using coordinator::TransactionWrite;

const engine::ConfigMap& transactions_config() {
  static const engine::ConfigMap config = {{"cleanup.policy", "compact"},
                                           {"segment.bytes", "16777216"}};
  return config;
}

/// An answer that another thread may bring.
template <typename T>
class Outcome {
 public:
  void set(Result<T> result) {
    result_ = std::move(result);
    is_done_.store(true);
    is_done_.notify_all();
  }
  Result<T> wait() {
    is_done_.wait(false);
    return *std::move(result_);
  }

 private:
  std::atomic<bool> is_done_{false};
  std::optional<Result<T>> result_;
};

template <typename Reply, typename Waiters>
void answer(std::vector<Reply> replies, Waiters matched) {
  for (Reply& reply : replies) {
    if (const auto found = matched.find(reply.token); found != matched.end()) {
      found->second(std::move(reply));
    }
  }
}

template <typename Reply, typename Waiters>
Waiters take_waiters(const std::vector<Reply>& replies, Waiters& from) {
  Waiters taken;
  for (const Reply& reply : replies) {
    if (auto node = from.extract(reply.token)) taken.insert(std::move(node));
  }
  return taken;
}

}  // namespace

TransactionService::TransactionService(engine::BrokerCore& broker,
                                       const TransactionServiceOptions& options,
                                       InternalTopic topic)
    : broker_(broker),
      topic_(std::move(topic)),
      coordinator_(options.coordinator, [&broker]() -> Result<coordinator::ProducerEpoch> {
        MILLRACE_TRY(const auto fresh, broker.take_producer_id());
        return coordinator::ProducerEpoch{fresh.id, fresh.epoch};
      }) {}

Result<std::shared_ptr<TransactionService>> TransactionService::of(
    engine::BrokerCore& broker, const TransactionServiceOptions& options) {
  MILLRACE_TRY(auto made, broker.service("transactions", [&]() -> Result<engine::BrokerServicePtr> {
    MILLRACE_TRY(auto topic, InternalTopic::open(broker, coordinator::transactions_topic,
                                                 options.partitions, transactions_config()));
    std::shared_ptr<TransactionService> service(
        new TransactionService(broker, options, std::move(topic)));
    MILLRACE_CHECK(service->load());
    return engine::BrokerServicePtr(std::move(service));
  }));
  auto service = std::static_pointer_cast<TransactionService>(std::move(made));
  MILLRACE_CHECK(service->start());
  return service;
}

Result<void> TransactionService::recover(engine::BrokerCore& broker) {
  if (!broker.topic(coordinator::transactions_topic)) return {};
  MILLRACE_CHECK(of(broker));
  return {};
}

Result<void> TransactionService::load() {
  const std::lock_guard lock(mutex_);
  InternalTopic::Visitor visitor;
  visitor.damaged = [&](const Error& error) { broker_.scheduler().report(error); };
  visitor.record = [&](Bytes key, std::optional<Bytes> value, std::optional<std::int64_t>) {
    if (auto loaded = coordinator_.load(key, value); !loaded) visitor.damaged(loaded.error());
  };
  MILLRACE_CHECK(topic_.read_all(visitor));
  for (const auto& [id, known] : coordinator_.transactions()) {
    broker_.note_producer_id(known->producer.id);
  }
  return {};
}

/// Not while it is made: markers need other services.
Result<void> TransactionService::start() {
  const std::lock_guard lock(start_mutex_);
  if (is_started_) return {};
  if (!std::exchange(is_resumed_, true)) {
    run([&](Actions& actions) { coordinator_.loaded(now(), actions); });
  }
  MILLRACE_CHECK(abort_unknown());
  is_started_ = true;
  return {};
}

/// What is open in a partition and not known here began behind the last record that the coordinator
/// made durable, or its records are lost.
Result<void> TransactionService::abort_unknown() {
  MILLRACE_TRY(const auto topics, broker_.topics());
  for (const auto& topic : topics) {
    for (const auto& partition : topic->partitions) {
      const TopicPartition place{partition->topic(), partition->id()};
      for (const auto& open : partition->log().open_transactions()) {
        const bool is_known = [&] {
          const std::lock_guard lock(mutex_);
          return coordinator_.owns(open.id, place, *open.transaction);
        }();
        if (is_known) continue;
        const ProducerEpoch producer{open.id, open.epoch};
        MILLRACE_CHECK(write_marker(place, {{}, producer, false, {place}}));
      }
    }
  }
  return {};
}

coordinator::TransactionCoordinator::Now TransactionService::now() const {
  return {broker_.clock().steady(), broker_.clock().now()};
}

void TransactionService::run(const std::function<void(Actions&)>& event) {
  Actions actions;
  Work work;
  {
    const std::lock_guard lock(mutex_);
    const auto due = coordinator_.next_deadline();
    if (due && *due <= now().steady) coordinator_.tick(now(), actions);
    event(actions);
    work = take_work(actions);
  }
  settle(std::move(actions), std::move(work));
}

/// In the order it was asked for, so with the lock held.
TransactionService::Work TransactionService::take_work(Actions& actions) {
  Work work;
  while (!actions.writes.empty()) {
    for (const TransactionWrite& write : std::exchange(actions.writes, {})) {
      append(write, actions, work);
    }
  }
  work.markers = std::exchange(actions.markers, {});
  arm_timer();
  return work;
}

void TransactionService::append(const TransactionWrite& write, Actions& actions, Work& work) {
  if (write.until == TransactionWrite::Until::eventually) {
    write_later(write);
    coordinator_.written(write.id, {}, now(), actions);
    return;
  }
  const PartitionId partition = partition_of(write.transactional_id);
  const auto end = topic_.append(partition, {&write.record, 1}, now().wall);
  if (end) late_.erase(write.transactional_id);
  if (end && write.until == TransactionWrite::Until::synced) {
    work.writes.push_back({write.id, partition, *end});
    return;
  }
  coordinator_.written(write.id, end ? Result<void>() : end.error(), now(), actions);
}

PartitionId TransactionService::partition_of(std::string_view transactional_id) const noexcept {
  return coordinator::coordinator_partition(transactional_id, topic_.partition_count());
}

/// Most are out of date before anybody could have looked at them.
void TransactionService::write_later(const TransactionWrite& write) {
  late_.insert_or_assign(write.transactional_id, write.record);
  arm_late_writes(late_write_delay);
}

void TransactionService::arm_late_writes(std::chrono::milliseconds wait) {
  if (std::exchange(late_writes_armed_, true)) return;
  broker_.scheduler().at(now().steady + wait, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->late_writes_task();
  });
}

void TransactionService::late_writes_task() {
  const auto written = write_late();
  if (!written && !broker_.is_closed()) broker_.scheduler().report(written.error());
}

Result<void> TransactionService::write_late() {
  std::map<PartitionId, Offset> ends;
  Result<void> written;
  {
    const std::lock_guard lock(mutex_);
    late_writes_armed_ = false;
    for (auto at = late_.begin(); at != late_.end();) {
      const PartitionId partition = partition_of(at->first);
      auto end = topic_.append(partition, {&at->second, 1}, now().wall);
      if (end) {
        ends[partition] = *end;
        at = late_.erase(at);
      } else {
        if (written) written = std::move(end).error();
        ++at;
      }
    }
    if (!written) arm_late_writes(late_write_retry_delay);
  }
  // So that those who look on from other processes see it.
  for (const auto& [partition, end] : ends) {
    auto synced = topic_.wait_acknowledged(partition, end);
    if (!synced && written) written = std::move(synced);
  }
  return written;
}

void TransactionService::close() {
  static_cast<void>(write_late());  // nothing depends on it
}

void TransactionService::settle(Actions actions, Work work) {
  for (;;) {
    deliver(actions);
    if (work.empty()) return;
    std::vector<Result<void>> written;
    for (const Started& write : work.writes) {
      written.push_back(topic_.wait_acknowledged(write.partition, write.durable_end));
    }
    std::vector<Marked> marked;
    for (const auto& markers : work.markers) {
      if (!markers.decides) {
        marked.emplace_back(markers.id, write_markers(markers));
        continue;
      }
      work.writes.push_back({markers.id});
      written.push_back(write_decision(markers));
    }
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < written.size(); ++i) {
      coordinator_.written(work.writes[i].id, written[i], now(), actions);
    }
    for (const auto& [id, missing] : marked) coordinator_.marked(id, missing, now(), actions);
    work = take_work(actions);
  }
}

void TransactionService::deliver(Actions& actions) {
  std::unique_lock lock(mutex_);
  auto inits = take_waiters(actions.inits, inits_);
  auto replies = take_waiters(actions.replies, replies_);
  lock.unlock();
  answer(std::exchange(actions.inits, {}), std::move(inits));
  answer(std::exchange(actions.replies, {}), std::move(replies));
}

void TransactionService::arm_timer() {
  const auto due = coordinator_.next_deadline();
  if (!due || (armed_ && *armed_ <= *due)) return;
  armed_ = due;
  broker_.scheduler().at(*due, [weak = weak_from_this(), due = *due] {
    if (const auto self = weak.lock()) self->timer_task(due);
  });
}

void TransactionService::timer_task(Clock::Steady due) {
  run([&](Actions& actions) {
    if (armed_ == due) armed_.reset();
    coordinator_.tick(now(), actions);
  });
}

Result<coordinator::ProducerEpoch> TransactionService::init_producer(
    const coordinator::InitProducerRequest& request) {
  const auto outcome = std::make_shared<Outcome<coordinator::ProducerEpoch>>();
  coordinator::InitProducerRequest waiting = request;
  waiting.waits = true;
  run([&](Actions& actions) {
    const Token token{++last_token_};
    inits_.emplace(token, [outcome](coordinator::InitProducerReply reply) {
      outcome->set(std::move(reply.answer));
    });
    coordinator_.init_producer(waiting, token, now(), actions);
  });
  return outcome->wait();
}

Result<void> TransactionService::wait_for(const Event& event) {
  const auto outcome = std::make_shared<Outcome<void>>();
  run([&](Actions& actions) {
    const Token token{++last_token_};
    replies_.emplace(token, [outcome](coordinator::TransactionReply reply) {
      outcome->set(std::move(reply.answer));
    });
    event(token, actions);
  });
  return outcome->wait();
}

Result<void> TransactionService::add_partitions(const coordinator::TransactionalProducerId& from,
                                                const std::vector<TopicPartition>& partitions) {
  const auto add = [&] {
    return wait_for([&](Token token, Actions& actions) {
      coordinator_.add_partitions(from, partitions, token, now(), actions);
    });
  };
  auto added = add();
  // What was put off of the transaction before has been tried again by now.
  if (!added && added.error().code() == Errc::concurrent_transactions) added = add();
  return added;
}

Result<void> TransactionService::end(const coordinator::TransactionalProducerId& from,
                                     bool is_commit) {
  const TransactionHold stopped = stop_holds(from);
  coordinator::EndTransactionRequest request{from, is_commit, true};
  if (is_commit) MILLRACE_CHECK(plan_commit(request));
  return wait_for(
      [&](Token token, Actions& actions) { coordinator_.end(request, token, now(), actions); });
}

Result<void> TransactionService::abort(const std::string& transactional_id) {
  return wait_for([&](Token token, Actions& actions) {
    coordinator_.abort(transactional_id, token, now(), actions);
  });
}

void TransactionService::look(
    const std::function<void(const coordinator::TransactionCoordinator&)>& look) {
  const std::lock_guard lock(mutex_);
  look(coordinator_);
}

}  // namespace millrace::inline v0::server
