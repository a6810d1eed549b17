#include <algorithm>
#include <atomic>
#include <map>
#include <millrace/client/owners_groups.hpp>
#include <millrace/consumer_group.hpp>
#include <millrace/engine/broker_core.hpp>
#include <millrace/server/group_service.hpp>
#include <millrace/server/local_member.hpp>
#include <millrace/transactional_producer.hpp>
#include <set>

#include "owner_socket.hpp"

namespace millrace::inline v0 {

struct GroupConsumerCore::Impl {
  using SteadyClock = std::chrono::steady_clock;
  using Partitions = std::vector<TopicPartition>;

  Impl(const Broker& broker, std::shared_ptr<coordinator::GroupAccess> groups, std::string id,
       GroupOptions with);

  Result<void> move_on();
  Result<void> act_on(const coordinator::OwnershipChange& change);
  Result<void> take(const Partitions& assigned);
  void give_up(const Partitions& gone);
  void lose(const Partitions& gone);
  Result<void> notice_topics();
  bool place(const TopicPartition& partition);
  Result<void> place_all();
  Result<void> placed(const TopicPartition& partition, Result<void> sought);
  bool is_current(const TopicPartition& partition) const;
  enum class Which : std::uint8_t { moved, all };
  std::vector<coordinator::OffsetToCommit> positions(Which which = Which::moved) const;
  void forget_last_poll();
  coordinator::OffsetToCommit to_commit(const TopicPartition& partition, Offset offset,
                                        std::string metadata) const;
  void auto_commit();
  void commit_before_rejoin();
  std::chrono::nanoseconds longest_wait(SteadyClock::time_point deadline) const;

  std::shared_ptr<engine::BrokerCore> core;
  std::shared_ptr<coordinator::GroupAccess> service;
  const std::string group;
  const GroupOptions options;
  ConsumerCore consumer;
  server::LocalMember member;
  std::uint64_t topics_seen;
  std::map<std::string, engine::TopicPtr> topics;  // that something was assigned of
  std::set<TopicPartition> unplaced;               // assigned, but nobody says where to begin
  std::set<TopicPartition> unsettled;              // a transaction that is not over decides where
  std::vector<std::pair<std::shared_ptr<engine::PartitionReader>, Offset>>
      last_poll;  // where what it returned begins
  Clock::Steady last_commit;
  std::atomic<bool> interrupted{false};
  bool commits_before_rebalances = options.auto_commit_interval.has_value();
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

/// An attachment asks the coordinator of the directory's owner.
Result<std::shared_ptr<coordinator::GroupAccess>> groups_of(const Broker& broker,
                                                            const std::string& group,
                                                            const GroupOptions& options) {
  using Access = std::shared_ptr<coordinator::GroupAccess>;
  if (broker.is_attached()) {
    MILLRACE_TRY(auto at_owner, client::OwnersGroups::open(detail::owner_socket(broker.path()),
                                                           group, options.max_poll_interval));
    return Access(std::move(at_owner));
  }
  MILLRACE_TRY(auto own, server::GroupService::of(*broker.core()));
  return Access(std::move(own));
}

}  // namespace

GroupConsumerCore::Impl::Impl(const Broker& broker,
                              std::shared_ptr<coordinator::GroupAccess> groups, std::string id,
                              GroupOptions with)
    : core(broker.core()),
      service(std::move(groups)),
      group(std::move(id)),
      options(std::move(with)),
      consumer(broker, options.consumer),
      member(service, *core, session_options(group, options), [this] { consumer.interrupt(); }),
      topics_seen(core->topics_version()),
      last_commit(core->clock().steady()) {
  consumer.return_on_new_topics();
}

coordinator::OffsetToCommit GroupConsumerCore::Impl::to_commit(const TopicPartition& partition,
                                                               Offset offset,
                                                               std::string metadata) const {
  return {partition,
          {offset, LeaderEpoch::unknown, std::move(metadata), core->clock().now(), std::nullopt}};
}

/// Whether it is still a partition of the topic that it was assigned of.
bool GroupConsumerCore::Impl::is_current(const TopicPartition& partition) const {
  const auto known = topics.find(partition.topic);
  const auto now = core->topic(partition.topic);
  return known != topics.end() && now && (*now)->entry.id == known->second->entry.id;
}

/// Where its partitions are read on; or those alone that differ from what is committed, and so
/// durable.
std::vector<coordinator::OffsetToCommit> GroupConsumerCore::Impl::positions(Which which) const {
  const bool topics_changed = core->topics_version() != topics_seen;
  std::vector<coordinator::OffsetToCommit> moved;
  for (const TopicPartition& partition : consumer.assignment()) {
    if (unplaced.contains(partition) || unsettled.contains(partition)) continue;
    if (topics_changed && !is_current(partition)) continue;
    const auto position = consumer.position(partition);
    if (!position) continue;
    if (which == Which::moved) {
      const auto known = service->committed(group, partition);
      if (known && known->offset == *position) continue;
    }
    moved.push_back(to_commit(partition, *position, {}));
  }
  return moved;
}

/// Goes back to where the last poll began: nobody said that what it returned was dealt with.
void GroupConsumerCore::Impl::forget_last_poll() {
  for (const auto& [reader, begin] : std::exchange(last_poll, {})) {
    const auto position = consumer.position(reader->name());
    if (position && begin < *position) static_cast<void>(consumer.seek(reader->name(), begin));
  }
}

/// Moves to where the group left off, or where it is to begin; false if nobody says where. While a
/// transaction that is not over may decide that, it is not read.
bool GroupConsumerCore::Impl::place(const TopicPartition& partition) {
  if (service->has_pending(group, partition)) {
    unsettled.insert(partition);
    return static_cast<bool>(consumer.hold(partition));
  }
  const auto found = service->committed(group, partition);
  if (found) return static_cast<bool>(consumer.seek(partition, found->offset));
  return options.consumer.auto_offset_reset != OffsetReset::none;
}

/// Places what could not be placed yet.
Result<void> GroupConsumerCore::Impl::place_all() {
  for (const TopicPartition& partition : std::exchange(unsettled, {})) {
    static_cast<void>(consumer.release(partition));
    unplaced.insert(partition);
  }
  std::erase_if(unplaced, [this](const TopicPartition& partition) { return place(partition); });
  if (unplaced.empty()) return {};
  return Error(Errc::offset_out_of_range,
               "group " + group +
                   " has committed no offset for it and auto_offset_reset is none: seek() or "
                   "commit() one, or choose earliest or latest")
      .at(unplaced.begin()->topic, unplaced.begin()->partition);
}

Result<void> GroupConsumerCore::Impl::placed(const TopicPartition& partition, Result<void> sought) {
  if (!sought) return sought;
  unplaced.erase(partition);
  if (unsettled.erase(partition) > 0) return consumer.release(partition);
  return sought;
}

void GroupConsumerCore::Impl::give_up(const Partitions& gone) {
  Partitions left = consumer.assignment();
  std::erase_if(left, [&](const TopicPartition& partition) {
    return std::find(gone.begin(), gone.end(), partition) != gone.end();
  });
  for (const TopicPartition& partition : gone) {
    unplaced.erase(partition);
    unsettled.erase(partition);
  }
  static_cast<void>(consumer.assign(left));
}

void GroupConsumerCore::Impl::lose(const Partitions& gone) {
  if (gone.empty()) return;
  give_up(gone);
  if (options.listener.lost) options.listener.lost(gone);
}

/// What is assigned of a topic that is gone by now, or has fewer partitions than the one the leader
/// knew, is left alone: the next assignment will know better.
Result<void> GroupConsumerCore::Impl::take(const Partitions& assigned) {
  Partitions all = consumer.assignment();
  Partitions taken;
  for (const TopicPartition& partition : assigned) {
    auto topic = core->topic(partition.topic);
    if (!topic && topic.error().code() == Errc::unknown_topic) continue;
    if (!topic) return std::move(topic).error();
    if (partition.partition >= (*topic)->entry.partitions) continue;
    topics[partition.topic] = *topic;
    consumer.follow(*std::move(topic));
    taken.push_back(partition);
  }
  if (taken.empty()) return {};
  all.insert(all.end(), taken.begin(), taken.end());
  MILLRACE_CHECK(consumer.assign(all));
  for (const TopicPartition& partition : taken) {
    if (!place(partition)) unplaced.insert(partition);
  }
  if (options.listener.assigned) options.listener.assigned(taken);
  return {};
}

/// Partitions of topics that were deleted are gone; those of one that was made anew begin anew.
Result<void> GroupConsumerCore::Impl::notice_topics() {
  const auto version = core->topics_version();
  if (version == topics_seen) return {};
  Partitions gone;
  for (const TopicPartition& partition : consumer.assignment()) {
    if (!is_current(partition)) gone.push_back(partition);
  }
  topics_seen = version;
  lose(gone);
  return take(gone);
}

Result<void> GroupConsumerCore::Impl::act_on(const coordinator::OwnershipChange& change) {
  const auto held = [this](const Partitions& partitions) {
    const Partitions all = consumer.assignment();
    Partitions those;
    std::copy_if(partitions.begin(), partitions.end(), std::back_inserter(those),
                 [&](const TopicPartition& partition) {
                   return std::find(all.begin(), all.end(), partition) != all.end();
                 });
    return those;
  };
  lose(held(change.lost));
  if (const Partitions revoked = held(change.revoked); !revoked.empty()) {
    // A commit that fails leads to records that are read again, not to lost ones.
    if (commits_before_rebalances) static_cast<void>(member.commit(positions()));
    if (options.listener.revoked) options.listener.revoked(revoked);
    give_up(revoked);
  }
  return take(change.assigned);
}

Result<void> GroupConsumerCore::Impl::move_on() {
  MILLRACE_CHECK(notice_topics());
  for (auto change = member.advance(); !change.empty(); change = member.advance()) {
    MILLRACE_CHECK(act_on(change));
  }
  if (auto error = member.take_error()) return *std::move(error);
  return place_all();
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
  // Nobody tells another process when a transaction of the owner is over.
  constexpr std::chrono::milliseconds until_asked_again(100);
  const bool must_ask = !core->is_owner() && !unsettled.empty();
  const coordinator::Milliseconds most = must_ask ? until_asked_again : member.heartbeat_interval();
  return std::clamp<std::chrono::nanoseconds>(left, std::chrono::nanoseconds(0), most);
}

GroupConsumerCore::GroupConsumerCore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GroupConsumerCore::GroupConsumerCore(GroupConsumerCore&&) noexcept = default;
GroupConsumerCore& GroupConsumerCore::operator=(GroupConsumerCore&& other) noexcept {
  if (this != &other) {
    const GroupConsumerCore left(std::move(*this));
    impl_ = std::move(other.impl_);
  }
  return *this;
}
GroupConsumerCore::~GroupConsumerCore() {
  if (!impl_) return;
  impl_->forget_last_poll();
  static_cast<void>(leave());
}

Result<GroupConsumerCore> GroupConsumerCore::join(const Broker& broker,
                                                  const Subscription& subscription,
                                                  const std::string& group,
                                                  const GroupOptions& options) {
  if (group.empty()) {
    return Error(Errc::invalid_argument,
                 "joining a group of " + subscription.text() +
                     ": a group's id must not be empty; give the group a name");
  }
  if (options.assignors.empty()) {
    return Error(Errc::invalid_argument, "joining group " + group +
                                             ": GroupOptions::assignors is empty; leave it as it "
                                             "is, or name at least one");
  }
  MILLRACE_CHECK(subscription.check());
  MILLRACE_TRY(auto service, groups_of(broker, group, options));
  auto impl = std::make_unique<Impl>(broker, std::move(service), group, options);
  impl->member.before_rejoin([self = impl.get()] { self->commit_before_rejoin(); });
  if (subscription.is_pattern()) {
    MILLRACE_TRY(auto matcher, subscription.matcher());
    impl->member.subscribe_matching(std::move(matcher));
  } else {
    impl->member.subscribe(subscription.names());
  }
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
  impl.last_poll.clear();
  for (;;) {
    MILLRACE_CHECK(impl.move_on());
    MILLRACE_TRY(auto fetched, impl.consumer.poll(impl.longest_wait(deadline)));
    for (const auto& part : fetched.parts()) {
      impl.last_poll.emplace_back(part.partition, part.begin);
    }
    if (!fetched.parts().empty() || impl.interrupted.exchange(false)) return fetched;
    if (impl.consumer.lacks_memory()) return fetched;  // the caller has what is to be given back
    if (SteadyClock::now() >= deadline) return fetched;
  }
}

/// Also what the member may keep: until the others have joined too, no commit would be taken, and
/// it may be stopped meanwhile. What fails is read again, not lost.
void GroupConsumerCore::Impl::commit_before_rejoin() {
  if (!commits_before_rebalances) return;
  auto offsets = positions();
  if (offsets.empty()) return;
  if (const auto request = member.commit_request(std::move(offsets))) {
    static_cast<void>(service->commit(*request));
  }
}

Result<void> GroupConsumerCore::commit() {
  impl_->last_poll.clear();
  auto offsets = impl_->positions();
  if (offsets.empty()) return {};
  return impl_->member.commit(std::move(offsets));
}

Result<void> GroupConsumerCore::commit(const TopicPartition& partition, Offset offset,
                                       std::string metadata) {
  MILLRACE_TRY(const auto topic, impl_->core->topic(partition.topic));
  MILLRACE_CHECK(detail::partition_of(impl_->core, *topic, partition.partition));
  for (auto& [reader, begin] : impl_->last_poll) {
    if (reader->name() == partition) begin = offset;
  }
  return impl_->member.commit({impl_->to_commit(partition, offset, std::move(metadata))});
}

void GroupConsumerCore::commit_later(std::function<void(const Result<void>&)> done) {
  impl_->last_poll.clear();
  impl_->member.commit_later(impl_->positions(), std::move(done));
}

Result<void> GroupConsumerCore::send_offsets_to(Transaction& transaction) {
  if (impl_->options.auto_commit_interval) {
    return Error(Errc::invalid_argument,
                 "group " + impl_->group +
                     ": sending offsets to a transaction while auto-commit commits them outside of "
                     "it; set GroupOptions::auto_commit_interval to std::nullopt");
  }
  // Also what has not moved: a member that is out hears of it by this.
  auto offsets = impl_->positions(Impl::Which::all);
  if (offsets.empty()) return {};
  MILLRACE_TRY(const auto request, impl_->member.commit_request(std::move(offsets)));
  return transaction.commit_offsets(request);
}

Result<void> GroupConsumerCore::rewind() {
  for (const TopicPartition& partition : impl_->consumer.assignment()) {
    MILLRACE_CHECK(impl_->placed(partition, impl_->consumer.seek_to_reset(partition)));
    if (!impl_->place(partition)) impl_->unplaced.insert(partition);
  }
  return impl_->place_all();
}

Result<std::optional<Committed>> GroupConsumerCore::committed(
    const TopicPartition& partition) const {
  MILLRACE_TRY(const auto topic, impl_->core->topic(partition.topic));
  MILLRACE_CHECK(detail::partition_of(impl_->core, *topic, partition.partition));
  // Another process's service keeps what it knew; asking for this makes it look again.
  if (!impl_->core->is_owner()) impl_->service->has_pending(impl_->group, partition);
  const auto found = impl_->service->committed(impl_->group, partition);
  if (!found) return std::optional<Committed>();
  return std::optional(Committed{found->offset, found->metadata});
}

Result<void> GroupConsumerCore::seek(const TopicPartition& partition, Offset offset) {
  return impl_->placed(partition, impl_->consumer.seek(partition, offset));
}
Result<void> GroupConsumerCore::seek_to_begin(const TopicPartition& partition) {
  return impl_->placed(partition, impl_->consumer.seek_to_begin(partition));
}
Result<void> GroupConsumerCore::seek_to_end(const TopicPartition& partition) {
  return impl_->placed(partition, impl_->consumer.seek_to_end(partition));
}
Result<void> GroupConsumerCore::seek_to_time(const TopicPartition& partition, Timestamp time) {
  return impl_->placed(partition, impl_->consumer.seek_to_time(partition, time));
}

Result<void> GroupConsumerCore::leave() {
  Impl& impl = *impl_;
  if (std::exchange(impl.has_left, true)) return {};
  Result<void> first;
  if (impl.options.auto_commit_interval && impl.member.session().is_member()) first = commit();
  impl.give_up(impl.consumer.assignment());
  if (impl.options.instance_id && impl.member.session().is_member()) return first;
  auto left = impl.member.leave();
  return first ? left : first;
}

bool GroupConsumerCore::commits_by_itself() const noexcept {
  return impl_->options.auto_commit_interval.has_value();
}

void GroupConsumerCore::commit_before_rebalances() noexcept {
  impl_->commits_before_rebalances = true;
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
