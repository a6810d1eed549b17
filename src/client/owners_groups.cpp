#include <millrace/client/owners_groups.hpp>

namespace millrace::inline v0::client {

using namespace coordinator;
using SteadyClock = std::chrono::steady_clock;

namespace {

// Kafka's [heartbeat.interval.ms] and [session.timeout.ms].
constexpr std::chrono::seconds heartbeat_interval(3);
constexpr std::chrono::seconds session_timeout(45);

}  // namespace

Result<std::shared_ptr<OwnersGroups>> OwnersGroups::open(const std::string& socket_path,
                                                         std::string group,
                                                         Milliseconds longest_silence) {
  std::shared_ptr<OwnersGroups> groups(
      new OwnersGroups(socket_path, std::move(group), longest_silence));
  // Whether anybody is there is to be known now.
  MILLRACE_CHECK(groups->link_.with_owner([](Connection&) { return Result<void>(); }));
  groups->start();
  return groups;
}

OwnersGroups::OwnersGroups(const std::string& socket_path, std::string group,
                           Milliseconds longest_silence)
    : group_(std::move(group)),
      longest_silence_(longest_silence),
      link_(socket_path),
      waiting_(socket_path, longest_silence + std::chrono::seconds(30)) {}

void OwnersGroups::start() {
  last_asked_ = SteadyClock::now();
  joiner_.thread = std::thread([this] { run(joiner_); });
  committer_.thread = std::thread([this] { run(committer_); });
  keeper_ = std::thread([this] { keep_alive(); });
}

OwnersGroups::~OwnersGroups() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  joiner_.changed.notify_all();
  committer_.changed.notify_all();
  ended_.notify_all();
  waiting_.interrupt();
  for (std::thread* thread : {&joiner_.thread, &committer_.thread, &keeper_}) {
    if (thread->joinable()) thread->join();
  }
}

void OwnersGroups::give(Worker& worker, Work work) {
  {
    const std::lock_guard lock(mutex_);
    worker.work.push_back(std::move(work));
  }
  worker.changed.notify_all();
}

/// What was asked for is done also when it ends, but for joins, which wait for others.
void OwnersGroups::run(Worker& worker) {
  std::unique_lock lock(mutex_);
  for (;;) {
    worker.changed.wait(lock, [&] { return is_ending_ || !worker.work.empty(); });
    if (worker.work.empty() || (is_ending_ && &worker == &joiner_)) return;
    // It stays in the queue until it is done: others wait for that.
    const Work work = worker.work.front();
    lock.unlock();
    work();
    lock.lock();
    worker.work.pop_front();
    worker.changed.notify_all();
  }
}

void OwnersGroups::note_member(const Membership& membership) {
  const std::lock_guard lock(mutex_);
  membership_ = membership;
  last_asked_ = SteadyClock::now();
}

void OwnersGroups::keep_alive() {
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, heartbeat_interval, [&] { return is_ending_; })) {
    const bool is_silent = SteadyClock::now() > last_asked_ + longest_silence_;
    if (membership_.generation < 0 || is_silent) continue;
    const Membership from = membership_;
    lock.unlock();
    const auto done =
        link_.with_owner([&](Connection& owner) { return client::heartbeat(owner, from); });
    lock.lock();
    // The member asks again itself, and hears what it has to do.
    if (!done && watcher_ != nullptr) watcher_->rebalance_begun();
  }
}

void OwnersGroups::join(const JoinRequest& request, std::function<void(JoinReply)> done) {
  JoinRequest timed = request;
  timed.session_timeout = session_timeout;
  give(joiner_, [this, timed = std::move(timed), done = std::move(done)] {
    JoinReply reply{{}, Error(Errc::io_error, "")};
    const auto asked = waiting_.with_owner([&](Connection& owner) -> Result<void> {
      reply = client::join(owner, timed);
      return reply.answer ? Result<void>() : reply.answer.error();
    });
    if (!asked) reply.answer = asked.error();
    if (reply.answer) {
      note_member(
          {group_, {reply.answer->member_id, timed.member.instance_id}, reply.answer->generation});
    }
    done(std::move(reply));
  });
}

void OwnersGroups::sync(const SyncRequest& request, std::function<void(SyncReply)> done) {
  give(joiner_, [this, request, done = std::move(done)] {
    SyncReply reply{{}, Error(Errc::io_error, "")};
    const auto asked = waiting_.with_owner([&](Connection& owner) -> Result<void> {
      reply = client::sync(owner, request);
      return reply.answer ? Result<void>() : reply.answer.error();
    });
    if (!asked) reply.answer = asked.error();
    done(std::move(reply));
  });
}

Result<void> OwnersGroups::heartbeat(const Membership& from) {
  note_member(from);
  return link_.with_owner([&](Connection& owner) { return client::heartbeat(owner, from); });
}

Result<void> OwnersGroups::leave(const std::string& group, const MemberIdentity& member) {
  {
    std::unique_lock lock(mutex_);
    committer_.changed.wait(lock, [&] { return committer_.work.empty(); });
    membership_.generation = -1;
  }
  return link_.with_owner([&](Connection& owner) { return client::leave(owner, group, member); });
}

Result<void> OwnersGroups::commit(const CommitRequest& request) {
  {
    std::unique_lock lock(mutex_);
    last_asked_ = SteadyClock::now();
    committer_.changed.wait(lock, [&] { return committer_.work.empty(); });
  }
  return commit_now(request);
}

Result<void> OwnersGroups::commit_now(const CommitRequest& request) {
  MILLRACE_CHECK(
      link_.with_owner([&](Connection& owner) { return client::commit(owner, request); }));
  const std::lock_guard lock(mutex_);
  for (const auto& one : request.offsets) known_[one.partition] = one.committed;
  return {};
}

void OwnersGroups::commit_later(CommitRequest request, std::function<void(Result<void>)> done) {
  give(committer_,
       [this, request = std::move(request), done = std::move(done)] { done(commit_now(request)); });
}

Result<CommittedOffsets> OwnersGroups::ask_committed(const TopicPartition& partition) {
  CommittedOffsets found;
  MILLRACE_CHECK(link_.with_owner([&](Connection& owner) -> Result<void> {
    MILLRACE_TRY(found, client::committed(owner, group_, {partition}));
    return {};
  }));
  const std::lock_guard lock(mutex_);
  known_[partition].reset();
  for (const auto& [name, offset] : found.offsets) known_[name] = offset;
  return found;
}

bool OwnersGroups::has_pending(std::string_view, const TopicPartition& partition) {
  const auto found = ask_committed(partition);
  // Who cannot tell now asks again: nothing may be read from a place that is not known.
  return !found || !found->unsettled.empty();
}

std::optional<CommittedOffset> OwnersGroups::committed(std::string_view,
                                                       const TopicPartition& partition) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = known_.find(partition); known != known_.end()) return known->second;
  }
  const auto found = ask_committed(partition);
  if (!found || !found->offsets.contains(partition)) return std::nullopt;
  return found->offsets.at(partition);
}

void OwnersGroups::watch(const std::string&, GroupWatcher& watcher) {
  const std::lock_guard lock(mutex_);
  watcher_ = &watcher;
}

void OwnersGroups::unwatch(const std::string&, GroupWatcher&) {
  const std::lock_guard lock(mutex_);
  watcher_ = nullptr;
}

}  // namespace millrace::inline v0::client
