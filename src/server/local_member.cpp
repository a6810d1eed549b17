#include <atomic>
#include <millrace/server/local_member.hpp>

namespace millrace::inline v0::server {

/// What other threads leave for the member; it may outlive it.
struct LocalMember::Mailbox final : coordinator::GroupWatcher {
  void rebalance_begun() noexcept override {
    rebalancing.store(true);
    wake_member();
  }
  void wake_member() noexcept {
    const std::lock_guard lock(mutex);
    if (wake) wake();
  }
  /// False if the member has left and nobody reads it any more.
  template <typename Mail>
  bool put(std::vector<Mail>& box, const Mail& mail) {
    {
      const std::lock_guard lock(mutex);
      if (has_left) return false;
      box.push_back(mail);
    }
    wake_member();
    return true;
  }

  std::mutex mutex;
  std::function<void()> wake;
  std::vector<coordinator::JoinReply> joins;
  std::vector<coordinator::SyncReply> syncs;
  std::vector<Result<void>> answers;
  std::atomic<bool> rebalancing{false};
  bool has_left = false;
};

LocalMember::LocalMember(std::shared_ptr<coordinator::GroupAccess> service,
                         engine::BrokerCore& broker, coordinator::MemberSession::Options options,
                         std::function<void()> wake)
    : service_(std::move(service)),
      broker_(broker),
      group_(options.group),
      session_timeout_(options.session_timeout),
      session_(std::move(options)),
      mailbox_(std::make_shared<Mailbox>()) {
  mailbox_->wake = std::move(wake);
  service_->watch(group_, *mailbox_);
}

LocalMember::~LocalMember() {
  service_->unwatch(group_, *mailbox_);
  const std::lock_guard lock(mailbox_->mutex);
  mailbox_->wake = nullptr;
}

std::int32_t LocalMember::partitions_of(const std::string& topic) const {
  const auto found = broker_.topic(topic);
  return found ? (*found)->entry.partitions : 0;
}

void LocalMember::read_mail() {
  std::unique_lock lock(mailbox_->mutex);
  auto joins = std::exchange(mailbox_->joins, {});
  auto syncs = std::exchange(mailbox_->syncs, {});
  const auto answers = std::exchange(mailbox_->answers, {});
  lock.unlock();
  for (auto& reply : joins) session_.joined(std::move(reply));
  for (auto& reply : syncs) session_.synced(std::move(reply));
  for (const auto& answer : answers) session_.answered(answer);
}

void LocalMember::keep_alive() {
  const Clock::Steady now = broker_.clock().steady();
  const bool rebalancing = mailbox_->rebalancing.exchange(false);
  if (!session_.is_member() || (!rebalancing && now < last_heartbeat_ + heartbeat_interval())) {
    return;
  }
  last_heartbeat_ = now;
  session_.answered(service_->heartbeat(session_.membership()));
}

void LocalMember::subscribe_matching(std::function<bool(const std::string&)> matches) {
  matches_ = std::move(matches);
  notice_topics();
}

void LocalMember::notice_topics() {
  if (!matches_) return;
  const auto topics = broker_.topics();
  if (!topics) return;
  std::vector<std::string> matching;
  for (const auto& topic : *topics) {
    if (matches_(topic->entry.name)) matching.push_back(topic->entry.name);
  }
  session_.subscribe(std::move(matching));
}

coordinator::OwnershipChange LocalMember::advance() {
  const auto counts = [this](const std::string& topic) { return partitions_of(topic); };
  for (;;) {
    read_mail();
    keep_alive();
    if (const auto version = broker_.topics_version(); version != topics_version_) {
      topics_version_ = version;
      notice_topics();
      session_.check_counts(counts);
    }
    auto change = session_.take_change();
    if (!change.empty() || session_.has_error()) return change;
    const auto request = session_.next(counts);
    if (const auto* join = std::get_if<coordinator::JoinRequest>(&request)) {
      if (before_rejoin_ && session_.is_member()) before_rejoin_();
      // Who calls back is there; owning it here, this could be what ends it, on its own thread.
      service_->join(*join, [mailbox = mailbox_, group = group_,
                             service = service_.get()](coordinator::JoinReply reply) {
        if (mailbox->put(mailbox->joins, reply) || !reply.answer) return;
        // It has left before it joined: others would wait for it.
        static_cast<void>(service->leave(group, {reply.answer->member_id, {}}));
      });
    } else if (const auto* sync = std::get_if<coordinator::SyncRequest>(&request)) {
      service_->sync(*sync, [mailbox = mailbox_](coordinator::SyncReply reply) {
        mailbox->put(mailbox->syncs, reply);
      });
    } else {
      return session_.take_change();
    }
    last_heartbeat_ = broker_.clock().steady();
  }
}

Result<coordinator::CommitRequest> LocalMember::commit_request(
    std::vector<coordinator::OffsetToCommit> offsets) const {
  if (!session_.is_member()) {
    return Error(Errc::unknown_member, "group " + group_ +
                                           ": committing before the group was joined, or after "
                                           "the membership was lost; poll() joins");
  }
  return coordinator::CommitRequest{session_.membership(), std::move(offsets)};
}

Result<void> LocalMember::commit(std::vector<coordinator::OffsetToCommit> offsets) {
  MILLRACE_TRY(const auto request, commit_request(std::move(offsets)));
  const auto committed = service_->commit(request);
  session_.answered(committed);
  return committed;
}

void LocalMember::commit_later(std::vector<coordinator::OffsetToCommit> offsets,
                               std::function<void(const Result<void>&)> done) {
  auto request = commit_request(std::move(offsets));
  if (!request) {
    if (!done) return;
    broker_.scheduler().post(
        [done = std::move(done), error = std::move(request).error()] { done(error); });
    return;
  }
  service_->commit_later(*std::move(request),
                         [mailbox = mailbox_, done = std::move(done)](Result<void> answer) {
                           if (done) done(answer);
                           if (!answer) mailbox->put(mailbox->answers, answer);
                         });
}

Result<void> LocalMember::leave() {
  {
    const std::lock_guard lock(mailbox_->mutex);
    mailbox_->has_left = true;
  }
  read_mail();
  // While it joins it may have an id already, which the others would wait for.
  const auto& member = session_.membership().member;
  const bool may_stay = member.member_id.empty() || member.instance_id;
  if (!session_.is_member() && may_stay) return {};
  auto left = service_->leave(group_, session_.membership().member);
  // Its time was out, or it was joining again, and the answer to that has just made it leave.
  if (!left && left.error().code() == Errc::unknown_member) return {};
  return left;
}

}  // namespace millrace::inline v0::server
