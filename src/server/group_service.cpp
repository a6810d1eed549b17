#include <atomic>
#include <millrace/server/group_service.hpp>
#include <random>

namespace millrace::inline v0::server {
namespace {

/// 128 random bits as text, so that no two members ever have the same.
std::string random_id() {
  thread_local std::random_device device;
  std::string id;
  for (int i = 0; i < 4; ++i) {
    constexpr char digits[] = "0123456789abcdef";
    std::uint32_t bits = device();
    for (int d = 0; d < 8; ++d, bits >>= 4) id += digits[bits & 15];
  }
  return id;
}

const engine::ConfigMap& offsets_config() {
  static const engine::ConfigMap config = {{"cleanup.policy", "compact"},
                                           {"segment.bytes", "16777216"}};
  return config;
}

/// An answer that another thread may bring.
struct Outcome {
  std::atomic<bool> is_done{false};
  Result<void> result;
};

/// Takes the callbacks of `replies` out of `waiting`, each with its reply.
template <typename Reply, typename Callback>
auto match(std::vector<Reply>& replies, std::map<coordinator::Token, Callback>& waiting) {
  std::vector<std::pair<Callback, Reply>> matched;
  for (Reply& reply : replies) {
    if (auto node = waiting.extract(reply.token)) {
      matched.emplace_back(std::move(node.mapped()), std::move(reply));
    }
  }
  replies.clear();
  return matched;
}

/// Takes up all that a topic holds.
Result<void> load_groups(const InternalTopic& topic, const coordinator::Group::Now& now,
                         coordinator::GroupCoordinator& into,
                         const std::function<void(const Error&)>& damaged) {
  InternalTopic::Visitor visitor;
  visitor.damaged = damaged;
  visitor.record = [&](Bytes key, std::optional<Bytes> value,
                       std::optional<std::int64_t> transaction_of) {
    const auto loaded = transaction_of ? into.load_pending(*transaction_of, key, value)
                                       : into.load(key, value, now);
    if (!loaded) damaged(loaded.error());
  };
  visitor.marker = [&](PartitionId partition, std::int64_t producer_id, bool is_commit) {
    into.end_transaction(producer_id, is_commit, [&](std::string_view group) {
      return coordinator::coordinator_partition(group, topic.partition_count()) == partition;
    });
  };
  return topic.read_all(visitor);
}

}  // namespace

GroupService::GroupService(engine::BrokerCore& broker, const GroupServiceOptions& options,
                           InternalTopic topic)
    : broker_(broker),
      topic_(std::move(topic)),
      coordinator_(options.coordinator, random_id),
      under_way_(static_cast<std::size_t>(topic_.partition_count())) {}

Result<std::shared_ptr<GroupService>> GroupService::of(engine::BrokerCore& broker,
                                                       const GroupServiceOptions& options) {
  MILLRACE_TRY(auto service, broker.service("groups", [&]() -> Result<engine::BrokerServicePtr> {
    MILLRACE_TRY(auto topic, InternalTopic::open(broker, coordinator::offsets_topic,
                                                 options.partitions, offsets_config()));
    std::shared_ptr<GroupService> made(new GroupService(broker, options, std::move(topic)));
    MILLRACE_CHECK(made->load());
    MILLRACE_CHECK(made->forget_missing_topics());
    return engine::BrokerServicePtr(std::move(made));
  }));
  return std::static_pointer_cast<GroupService>(service);
}

Result<void> GroupService::load() {
  const std::lock_guard lock(mutex_);
  MILLRACE_CHECK(load_groups(topic_, now(), coordinator_,
                             [&](const Error& error) { broker_.scheduler().report(error); }));
  arm_timer();
  return {};
}

/// Of topics that were deleted just before the process ended.
Result<void> GroupService::forget_missing_topics() {
  for (const std::string& name : coordinator_.topics()) {
    const auto topic = broker_.topic(name);
    if (topic || topic.error().code() != Errc::unknown_topic) continue;
    MILLRACE_CHECK(wait_for_commit(
        [&](Token token, Actions& actions) { coordinator_.remove_topic(name, token, actions); }));
  }
  return {};
}

coordinator::Group::Now GroupService::now() const {
  return {broker_.clock().steady(), broker_.clock().now()};
}

void GroupService::run(const Event& event) {
  Actions actions;
  std::vector<Started> started;
  {
    const std::lock_guard lock(mutex_);
    const auto due = coordinator_.next_deadline();
    if (due && *due <= now().steady) coordinator_.tick(now(), actions);
    event(actions);
    started = start_writes(actions);
    arm_timer();
  }
  settle(std::move(actions), std::move(started));
}

/// In the order they were asked for, so with the lock held.
std::vector<GroupService::Started> GroupService::start_writes(Actions& actions) {
  std::vector<Started> started;
  for (auto writes = std::exchange(actions.writes, {}); !writes.empty();
       writes = std::exchange(actions.writes, {})) {
    for (const coordinator::Write& write : writes) {
      const PartitionId partition = partition_of(write.group);
      auto end = topic_.append(partition, write.records, now().wall, write.transaction_of);
      if (!end) {
        coordinator_.written(write.id, std::move(end).error(), now(), actions);
        continue;
      }
      auto& under_way = under_way_[static_cast<std::size_t>(partition)];
      // Of a transaction, nothing has to be durable before its end is.
      if (write.transaction_of && under_way.empty()) {
        coordinator_.written(write.id, {}, now(), actions);
        continue;
      }
      under_way.push_back({write.id, *end});
      started.push_back({partition, *end});
    }
  }
  return started;
}

/// Everything before an end that is durable is durable too.
void GroupService::end_writes(const Started& ended, const Result<void>& result, Actions& actions) {
  auto& under_way = under_way_[static_cast<std::size_t>(ended.partition)];
  while (!under_way.empty() && under_way.front().end <= ended.end) {
    const coordinator::WriteId id = under_way.front().id;
    under_way.pop_front();
    coordinator_.written(id, result, now(), actions);
  }
}

void GroupService::settle(Actions actions, std::vector<Started> started) {
  for (;;) {
    deliver(actions);
    if (started.empty()) return;
    std::vector<Result<void>> results;
    results.reserve(started.size());
    for (const Started& write : started) {
      results.push_back(topic_.wait_acknowledged(write.partition, write.end));
    }
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < started.size(); ++i) end_writes(started[i], results[i], actions);
    started = start_writes(actions);
    arm_timer();
  }
}

void GroupService::deliver(Actions& actions) {
  std::unique_lock lock(mutex_);
  for (const std::string& group : std::exchange(actions.rebalancing, {})) call_watchers(group);
  auto joins = match(actions.joins, joins_);
  auto syncs = match(actions.syncs, syncs_);
  auto commits = match(actions.commits, commits_);
  lock.unlock();
  for (auto& [done, reply] : joins) done(std::move(reply));
  for (auto& [done, reply] : syncs) done(std::move(reply));
  for (auto& [done, reply] : commits) done(std::move(reply.answer));
}

void GroupService::call_watchers(const std::string& group) {
  const auto [first, last] = watchers_.equal_range(group);
  for (auto at = first; at != last; ++at) at->second->rebalance_begun();
}

void GroupService::arm_timer() {
  const auto due = coordinator_.next_deadline();
  if (!due || (armed_ && *armed_ <= *due)) return;
  armed_ = due;
  broker_.scheduler().at(*due, [weak = weak_from_this(), due = *due] {
    if (const auto self = weak.lock()) self->timer_task(due);
  });
}

void GroupService::timer_task(Clock::Steady due) {
  run([&](Actions& actions) {
    if (armed_ == due) armed_.reset();
    coordinator_.tick(now(), actions);
  });
}

void GroupService::join(const coordinator::JoinRequest& request,
                        std::function<void(coordinator::JoinReply)> done) {
  run([&](Actions& actions) {
    const Token token = next_token();
    joins_.emplace(token, std::move(done));
    coordinator_.join(request, token, now(), actions);
  });
}

void GroupService::sync(const coordinator::SyncRequest& request,
                        std::function<void(coordinator::SyncReply)> done) {
  run([&](Actions& actions) {
    const Token token = next_token();
    syncs_.emplace(token, std::move(done));
    coordinator_.sync(request, token, now(), actions);
  });
}

Result<void> GroupService::heartbeat(const coordinator::Membership& from) {
  const std::lock_guard lock(mutex_);
  return coordinator_.heartbeat(from, now());
}

Result<void> GroupService::leave(const std::string& group,
                                 const coordinator::MemberIdentity& member) {
  Result<void> left;
  run([&](Actions& actions) {
    start_late_commits(&group, actions);
    left = coordinator_.leave(group, member, now(), actions);
  });
  return left;
}

/// Runs an event that is answered among the commits, and waits for the answer.
Result<void> GroupService::wait_for_commit(const CommitEvent& event) {
  // Whoever syncs for this thread too may answer later than run() returns.
  const auto outcome = std::make_shared<Outcome>();
  run([&](Actions& actions) {
    const Token token = next_token();
    commits_.emplace(token, [outcome](Result<void> result) {
      outcome->result = std::move(result);
      outcome->is_done.store(true);
      outcome->is_done.notify_all();
    });
    event(token, actions);
  });
  outcome->is_done.wait(false);
  return outcome->result;
}

Result<void> GroupService::check_topics(const coordinator::CommitRequest& request) {
  const std::string* known = nullptr;
  for (const auto& offset : request.offsets) {
    if (known != nullptr && *known == offset.partition.topic) continue;
    known = &offset.partition.topic;
    if (auto topic = broker_.topic(*known); !topic) {
      return Error(topic.error().code(),
                   "group " + request.from.group +
                       ": committing an offset of it: " + topic.error().message())
          .at(*known, offset.partition.partition);
    }
  }
  return {};
}

void GroupService::start_commit(const coordinator::CommitRequest& request, Token token,
                                Actions& actions) {
  if (auto known = check_topics(request); !known) {
    actions.commits.push_back({token, std::move(known)});
    return;
  }
  coordinator_.commit(request, token, now(), actions);
}

Result<void> GroupService::commit(const coordinator::CommitRequest& request) {
  return wait_for_commit([&](Token token, Actions& actions) {
    start_late_commits(&request.from.group, actions);
    start_commit(request, token, actions);
  });
}

Result<void> GroupService::commit_in_transaction(const coordinator::CommitRequest& request,
                                                 const coordinator::ProducerEpoch& producer) {
  return wait_for_commit([&](Token token, Actions& actions) {
    start_late_commits(&request.from.group, actions);
    if (auto known = check_topics(request); !known) {
      actions.commits.push_back({token, std::move(known)});
      return;
    }
    coordinator_.commit_in_transaction(request, producer, token, now(), actions);
  });
}

void GroupService::commit_later(coordinator::CommitRequest request,
                                std::function<void(Result<void>)> done) {
  {
    const std::lock_guard lock(mutex_);
    late_commits_.push_back({std::move(request), std::move(done)});
  }
  broker_.scheduler().post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self) self->run([&](Actions& actions) { self->start_late_commits(nullptr, actions); });
  });
}

/// Those of one group before their turn, if something of it is to come after them.
void GroupService::start_late_commits(const std::string* group, Actions& actions) {
  for (auto at = late_commits_.begin(); at != late_commits_.end();) {
    if (group != nullptr && at->request.from.group != *group) {
      ++at;
      continue;
    }
    const LateCommit late = std::move(*at);
    at = late_commits_.erase(at);
    const Token token = next_token();
    if (group == nullptr) {
      commits_.emplace(token, late.done);
    } else {
      commits_.emplace(token, [&broker = broker_, done = late.done](Result<void> result) {
        broker.scheduler().post([done, result = std::move(result)] { done(result); });
      });
    }
    start_commit(late.request, token, actions);
  }
}

Result<void> GroupService::end_transaction(PartitionId partition,
                                           const coordinator::ProducerEpoch& producer,
                                           bool is_commit) {
  MILLRACE_TRY(const Offset end, [&]() -> Result<Offset> {
    // With the lock held, so that offsets and marker stand in the log as they were taken up.
    const std::lock_guard lock(mutex_);
    MILLRACE_TRY(const Offset marked,
                 append_marker(*topic_.partition(partition), producer, is_commit));
    const auto waited = coordinator_.end_transaction(
        producer.id, is_commit,
        [&](std::string_view group) { return partition_of(group) == partition; });
    for (const std::string& group : waited) call_watchers(group);
    return marked;
  }());
  return topic_.wait_acknowledged(partition, end);
}

bool GroupService::has_pending(std::string_view group,
                               const coordinator::TopicPartition& partition) {
  const std::lock_guard lock(mutex_);
  return coordinator_.has_pending(group, partition);
}

PartitionId GroupService::partition_of(std::string_view group) const noexcept {
  return coordinator::coordinator_partition(group, topic_.partition_count());
}

std::optional<coordinator::CommittedOffset> GroupService::committed(
    std::string_view group, const coordinator::TopicPartition& partition) {
  const std::lock_guard lock(mutex_);
  const auto* found = coordinator_.committed(group, partition.topic, partition.partition);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

Result<void> GroupService::remove_group(const std::string& group) {
  return wait_for_commit([&](Token token, Actions& actions) {
    start_late_commits(&group, actions);
    coordinator_.remove_group(group, token, actions);
  });
}

Result<void> GroupService::remove_offsets(
    const std::string& group, const std::vector<coordinator::TopicPartition>& partitions) {
  return wait_for_commit([&](Token token, Actions& actions) {
    start_late_commits(&group, actions);
    coordinator_.remove_offsets(group, partitions, token, actions);
  });
}

Result<void> GroupService::forget_topic(engine::BrokerCore& broker, std::string_view topic) {
  if (topic == coordinator::offsets_topic || !broker.topic(coordinator::offsets_topic)) return {};
  MILLRACE_TRY(const auto service, of(broker));
  return service->wait_for_commit([&](Token token, Actions& actions) {
    service->coordinator_.remove_topic(topic, token, actions);
  });
}

void GroupService::look(const Look& look) {
  run([](Actions&) {});  // members of a process that is gone are not there any more
  const std::lock_guard lock(mutex_);
  look(coordinator_);
}

Result<void> GroupService::look_at(engine::BrokerCore& broker, const Look& look) {
  const auto topic = broker.topic(coordinator::offsets_topic);
  if (topic && broker.is_owner()) {
    MILLRACE_TRY(const auto service, of(broker));
    service->look(look);
    return {};
  }
  if (!topic && topic.error().code() != Errc::unknown_topic) return topic.error();
  coordinator::GroupCoordinator written({}, random_id);
  const coordinator::Group::Now now{broker.clock().steady(), broker.clock().now()};
  if (topic) {
    MILLRACE_CHECK(load_groups(InternalTopic::of(*topic), now, written, [](const Error&) {}));
  }
  look(written);
  return {};
}

void GroupService::watch(const std::string& group, GroupWatcher& watcher) {
  const std::lock_guard lock(mutex_);
  watchers_.emplace(group, &watcher);
}

void GroupService::unwatch(const std::string& group, GroupWatcher& watcher) {
  const std::lock_guard lock(mutex_);
  const auto [first, last] = watchers_.equal_range(group);
  for (auto at = first; at != last; ++at) {
    if (at->second == &watcher) {
      watchers_.erase(at);
      return;
    }
  }
}

}  // namespace millrace::inline v0::server
