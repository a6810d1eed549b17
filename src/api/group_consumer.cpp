#include <algorithm>
#include <atomic>
#include <millrace/consumer_group.hpp>
#include <millrace/engine/broker_core.hpp>
#include <millrace/server/local_member.hpp>
#include <millrace/transactional_producer.hpp>

namespace millrace::inline v0 {

struct GroupConsumerCore::Impl {
  using SteadyClock = std::chrono::steady_clock;
  using Ids = std::vector<PartitionId>;

  Impl(const Broker& broker, std::shared_ptr<const engine::TopicCore> of,
       std::shared_ptr<server::GroupService> groups, std::string group, GroupOptions with);

  Ids ids_of(const std::vector<coordinator::TopicPartition>& partitions) const;
  Result<void> move_on();
  Result<void> act_on(const coordinator::OwnershipChange& change);
  Result<void> begin(PartitionId partition);
  Result<void> begin_settled();
  void give_up(const Ids& gone);
  std::vector<coordinator::OffsetToCommit> positions() const;
  coordinator::OffsetToCommit to_commit(PartitionId partition, Offset offset,
                                        std::string metadata) const;
  void auto_commit();
  std::chrono::nanoseconds longest_wait(SteadyClock::time_point deadline) const;

  std::shared_ptr<engine::BrokerCore> core;
  std::shared_ptr<const engine::TopicCore> topic;
  std::shared_ptr<server::GroupService> service;
  const std::string group;
  const GroupOptions options;
  ConsumerCore consumer;
  Ids unsettled;  // a transaction that is not over decides where to begin
  server::LocalMember member;
  Clock::Steady last_commit;
  std::atomic<bool> interrupted{false};
  bool has_left = false;
};

namespace {

coordinator::MemberSession::Options session_options(const std::string& group,
                                                    const GroupOptions& options) {
  coordinator::MemberSession::Options session;
  session.group = group;
  session.instance_id = options.instance_id;
  session.client_id = "millrace";
  session.client_host = coordinator::own_process;
  session.session_timeout = options.max_poll_interval;
  session.rebalance_timeout = options.max_poll_interval;
  session.assignors = options.assignors;
  return session;
}

}  // namespace

GroupConsumerCore::Impl::Impl(const Broker& broker, std::shared_ptr<const engine::TopicCore> of,
                              std::shared_ptr<server::GroupService> groups, std::string id,
                              GroupOptions with)
    : core(broker.core()),
      topic(std::move(of)),
      service(std::move(groups)),
      group(std::move(id)),
      options(std::move(with)),
      consumer(broker, topic, options.consumer),
      member(service, *core, session_options(group, options), [this] { consumer.interrupt(); }),
      last_commit(core->clock().steady()) {
  static_cast<void>(consumer.assign({}));
  member.subscribe({topic->entry.name});
}

GroupConsumerCore::Impl::Ids GroupConsumerCore::Impl::ids_of(
    const std::vector<coordinator::TopicPartition>& partitions) const {
  Ids ids;
  for (const auto& partition : partitions) ids.push_back(partition.partition);
  return ids;
}

coordinator::OffsetToCommit GroupConsumerCore::Impl::to_commit(PartitionId partition, Offset offset,
                                                               std::string metadata) const {
  return {{topic->entry.name, partition},
          {offset, LeaderEpoch::unknown, std::move(metadata), core->clock().now(), std::nullopt}};
}

/// Those that differ from what is committed, and so durable.
std::vector<coordinator::OffsetToCommit> GroupConsumerCore::Impl::positions() const {
  std::vector<coordinator::OffsetToCommit> moved;
  for (const PartitionId id : consumer.assignment()) {
    const auto position = consumer.position(id);
    const auto known = service->committed(group, {topic->entry.name, id});
    if (std::find(unsettled.begin(), unsettled.end(), id) != unsettled.end()) continue;
    if (position && (!known || known->offset != *position)) {
      moved.push_back(to_commit(id, *position, {}));
    }
  }
  return moved;
}

/// Where the group left off, or where it is to begin.
Result<void> GroupConsumerCore::Impl::begin(PartitionId partition) {
  if (service->has_pending(group, {topic->entry.name, partition})) {
    unsettled.push_back(partition);
    return consumer.pause(partition);
  }
  const auto found = service->committed(group, {topic->entry.name, partition});
  if (found) return consumer.seek(partition, found->offset);
  if (options.consumer.auto_offset_reset != OffsetReset::none) return {};
  return Error(Errc::offset_out_of_range,
               "group " + group +
                   " has committed no offset for it and auto_offset_reset is none: commit() one, "
                   "or choose earliest or latest")
      .at(topic->entry.name, partition);
}

Result<void> GroupConsumerCore::Impl::begin_settled() {
  for (const PartitionId id : std::exchange(unsettled, {})) {
    MILLRACE_CHECK(consumer.resume(id));
    MILLRACE_CHECK(begin(id));
  }
  return {};
}

void GroupConsumerCore::Impl::give_up(const Ids& gone) {
  for (const PartitionId id : gone) std::erase(unsettled, id);
  Ids left = consumer.assignment();
  std::erase_if(
      left, [&](PartitionId id) { return std::find(gone.begin(), gone.end(), id) != gone.end(); });
  static_cast<void>(consumer.assign(left));
}

Result<void> GroupConsumerCore::Impl::act_on(const coordinator::OwnershipChange& change) {
  const RebalanceListener& listener = options.listener;
  if (!change.lost.empty()) {
    const Ids lost = ids_of(change.lost);
    give_up(lost);
    if (listener.lost) listener.lost(lost);
  }
  if (!change.revoked.empty()) {
    const Ids revoked = ids_of(change.revoked);
    // A commit that fails leads to records that are read again, not to lost ones.
    if (options.auto_commit_interval) static_cast<void>(member.commit(positions()));
    if (listener.revoked) listener.revoked(revoked);
    give_up(revoked);
  }
  if (change.assigned.empty()) return {};
  const Ids assigned = ids_of(change.assigned);
  Ids all = consumer.assignment();
  all.insert(all.end(), assigned.begin(), assigned.end());
  // Of a topic that has grown since, this member has an older picture.
  MILLRACE_TRY(topic, core->topic(topic->entry.name));
  consumer.follow(topic);
  MILLRACE_CHECK(consumer.assign(all));
  for (const PartitionId id : assigned) MILLRACE_CHECK(begin(id));
  if (listener.assigned) listener.assigned(assigned);
  return {};
}

Result<void> GroupConsumerCore::Impl::move_on() {
  for (auto change = member.advance(); !change.empty(); change = member.advance()) {
    MILLRACE_CHECK(act_on(change));
  }
  if (auto error = member.take_error()) return *std::move(error);
  return {};
}

void GroupConsumerCore::Impl::auto_commit() {
  if (!options.auto_commit_interval) return;
  const Clock::Steady now = core->clock().steady();
  if (now < last_commit + *options.auto_commit_interval) return;
  last_commit = now;
  auto offsets = positions();
  if (!offsets.empty()) member.commit_later(std::move(offsets), {});
}

std::chrono::nanoseconds GroupConsumerCore::Impl::longest_wait(
    SteadyClock::time_point deadline) const {
  const std::chrono::nanoseconds left = deadline - SteadyClock::now();
  return std::clamp<std::chrono::nanoseconds>(left, std::chrono::nanoseconds(0),
                                              member.heartbeat_interval());
}

GroupConsumerCore::GroupConsumerCore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GroupConsumerCore::GroupConsumerCore(GroupConsumerCore&&) noexcept = default;
GroupConsumerCore& GroupConsumerCore::operator=(GroupConsumerCore&& other) noexcept {
  if (this != &other) {
    if (impl_) static_cast<void>(leave());
    impl_ = std::move(other.impl_);
  }
  return *this;
}
GroupConsumerCore::~GroupConsumerCore() {
  if (impl_) static_cast<void>(leave());
}

Result<GroupConsumerCore> GroupConsumerCore::join(const Broker& broker,
                                                  std::shared_ptr<const engine::TopicCore> topic,
                                                  const std::string& group,
                                                  const GroupOptions& options) {
  if (group.empty()) {
    return Error(Errc::invalid_argument, "joining a group of topic " + topic->entry.name +
                                             ": a group's id must not be "
                                             "empty; give the group a name");
  }
  if (options.assignors.empty()) {
    return Error(Errc::invalid_argument, "joining group " + group +
                                             ": GroupOptions::assignors is empty; leave it as it "
                                             "is, or name at least one");
  }
  MILLRACE_TRY(auto service, server::GroupService::of(*broker.core()));
  auto impl = std::make_unique<Impl>(broker, std::move(topic), std::move(service), group, options);
  MILLRACE_CHECK(impl->move_on());
  return GroupConsumerCore(std::move(impl));
}

Result<FetchedRecords> GroupConsumerCore::poll(std::chrono::nanoseconds wait) {
  Impl& impl = *impl_;
  using SteadyClock = Impl::SteadyClock;
  const auto now = SteadyClock::now();
  const auto deadline =
      wait > SteadyClock::time_point::max() - now ? SteadyClock::time_point::max() : now + wait;
  impl.auto_commit();
  for (;;) {
    MILLRACE_CHECK(impl.move_on());
    MILLRACE_CHECK(impl.begin_settled());
    MILLRACE_TRY(auto fetched, impl.consumer.poll(impl.longest_wait(deadline)));
    if (!fetched.parts().empty() || impl.interrupted.exchange(false)) return fetched;
    if (SteadyClock::now() >= deadline) return fetched;
  }
}

Result<void> GroupConsumerCore::commit() {
  auto offsets = impl_->positions();
  if (offsets.empty()) return {};
  return impl_->member.commit(std::move(offsets));
}

Result<void> GroupConsumerCore::commit(PartitionId partition, Offset offset, std::string metadata) {
  MILLRACE_CHECK(detail::partition_of(impl_->core, *impl_->topic, partition));
  return impl_->member.commit({impl_->to_commit(partition, offset, std::move(metadata))});
}

void GroupConsumerCore::commit_later(std::function<void(const Result<void>&)> done) {
  impl_->member.commit_later(impl_->positions(), std::move(done));
}

Result<void> GroupConsumerCore::send_offsets_to(Transaction& transaction) {
  if (impl_->options.auto_commit_interval) {
    return Error(Errc::invalid_argument,
                 "group " + impl_->group +
                     ": sending offsets to a transaction while auto-commit commits them outside of "
                     "it; set GroupOptions::auto_commit_interval to std::nullopt");
  }
  auto offsets = impl_->positions();
  if (offsets.empty()) return {};
  MILLRACE_TRY(const auto request, impl_->member.commit_request(std::move(offsets)));
  return transaction.commit_offsets(request);
}

Result<void> GroupConsumerCore::rewind() {
  const Impl::Ids all = impl_->consumer.assignment();
  impl_->give_up(all);
  MILLRACE_CHECK(impl_->consumer.assign(all));
  for (const PartitionId id : all) MILLRACE_CHECK(impl_->begin(id));
  return {};
}

Result<std::optional<Committed>> GroupConsumerCore::committed(PartitionId partition) const {
  MILLRACE_CHECK(detail::partition_of(impl_->core, *impl_->topic, partition));
  const auto found = impl_->service->committed(impl_->group, {impl_->topic->entry.name, partition});
  if (!found) return std::optional<Committed>();
  return std::optional(Committed{found->offset, found->metadata});
}

Result<std::int64_t> GroupConsumerCore::lag(PartitionId partition) const {
  MILLRACE_TRY(const Offset position, impl_->consumer.position(partition));
  MILLRACE_TRY(const auto handle, detail::partition_of(impl_->core, *impl_->topic, partition));
  return std::max<std::int64_t>(handle.offsets().end - position, 0);
}

Result<void> GroupConsumerCore::leave() {
  Impl& impl = *impl_;
  if (std::exchange(impl.has_left, true)) return {};
  Result<void> first;
  if (impl.options.auto_commit_interval && impl.member.session().is_member()) first = commit();
  impl.give_up(impl.consumer.assignment());
  if (impl.options.instance_id) return first;
  auto left = impl.member.leave();
  return first ? left : first;
}

ConsumerCore& GroupConsumerCore::consumer() noexcept {
  return impl_->consumer;
}
const ConsumerCore& GroupConsumerCore::consumer() const noexcept {
  return impl_->consumer;
}

void GroupConsumerCore::interrupt() noexcept {
  impl_->interrupted.store(true);
  impl_->consumer.interrupt();
}

}  // namespace millrace::inline v0
