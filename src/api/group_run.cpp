#include <algorithm>
#include <millrace/consumer_group.hpp>
#include <millrace/engine/partition.hpp>
#include <mutex>
#include <thread>

namespace millrace::inline v0::detail {
namespace {

/// A refusal because others have the partitions, or are about to: they read those records again.
bool is_passing(const Error& error) noexcept {
  switch (error.code()) {
    case Errc::unknown_member:
    case Errc::illegal_generation:
    case Errc::rebalance_in_progress:
    case Errc::unknown_topic:
      return true;
    default:
      return false;
  }
}

/// The member has not heard yet of what has become of its group.
bool is_of_rebalance(const Error& error) noexcept {
  return error.code() == Errc::rebalance_in_progress || error.code() == Errc::illegal_generation;
}

class Run {
 public:
  Run(const MemberSource& join, const RecordsHandler& handle) : join_(join), handle_(handle) {}

  void work(int thread) {
    if (stopping_.load()) return;
    auto member = join_(thread);
    if (!member) return end(std::move(member).error());
    member->commit_before_rebalances();
    {
      const std::lock_guard lock(mutex_);
      members_.push_back(&*member);
    }
    if (auto done = read(*member); !done) end(std::move(done).error());
    {
      const std::lock_guard lock(mutex_);
      std::erase(members_, &*member);
    }
    // What auto-commit commits on leaving is what was handled: positions were set back to it.
    if (auto committed = commit_last(*member); !committed) end(std::move(committed).error());
    if (auto left = member->leave(); !left && !is_passing(left.error())) {
      end(std::move(left).error());
    }
  }

  /// All members stop; `why` is told if it is the first failure.
  void end(std::optional<Error> why = {}) {
    const std::lock_guard lock(mutex_);
    if (why && !failure_) failure_ = std::move(why);
    stopping_.store(true);
    for (GroupConsumerCore* const member : members_) member->interrupt();
  }

  Result<void> outcome() const { return failure_ ? Result<void>(*failure_) : Result<void>(); }

 private:
  Result<void> read(GroupConsumerCore& member) {
    while (!stopping_.load()) {
      MILLRACE_TRY(auto fetched, member.poll(std::chrono::hours(1)));
      if (fetched.parts().empty()) continue;
      Progress progress(fetched);
      // The handler may move the records away; these keep what the progress points to.
      std::vector<std::shared_ptr<engine::PartitionReader>> readers;
      for (const auto& part : fetched.parts()) readers.push_back(part.partition);
      auto handled = handle_(fetched, progress, stopping_);
      if (!handled || !*handled) give_back(member, progress);
      if (!handled) return std::move(handled).error();
      if (!member.commits_by_itself()) MILLRACE_CHECK(commit(member));
    }
    return {};
  }

  static void give_back(GroupConsumerCore& member, const Progress& progress) {
    for (const Progress::Part& part : progress.parts()) {
      static_cast<void>(member.seek(*part.partition, part.next));
    }
  }

  /// No commit is taken while the others wait for the assignment of a rebalance, which they may all
  /// be about to leave: sees it through; what is read meanwhile is left to whoever comes next.
  static Result<void> commit_last(GroupConsumerCore& member) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    auto committed = member.commit();
    while (!committed && is_of_rebalance(committed.error()) &&
           std::chrono::steady_clock::now() < give_up) {
      auto fetched = member.poll(std::chrono::milliseconds(10));
      if (!fetched) break;
      give_back(member, Progress(*fetched));
      committed = member.commit();
    }
    return unless_passing(std::move(committed));
  }

  static Result<void> unless_passing(Result<void> committed) {
    if (!committed && is_passing(committed.error())) return {};
    return committed;
  }

  static Result<void> commit(GroupConsumerCore& member) { return unless_passing(member.commit()); }

  const MemberSource& join_;
  const RecordsHandler& handle_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<GroupConsumerCore*> members_;
  std::optional<Error> failure_;
};

}  // namespace

Progress::Progress(const FetchedRecords& fetched) {
  for (const auto& part : fetched.parts()) {
    const TopicPartition& name = part.partition->name();
    const bool is_known = std::any_of(parts_.begin(), parts_.end(),
                                      [&](const Part& known) { return known.partition == &name; });
    if (!is_known) parts_.push_back({&name, part.begin});
  }
}

Progress::Part* Progress::find(const TopicPartition& partition) {
  return &*std::find_if(parts_.begin(), parts_.end(),
                        [&](const Part& part) { return part.partition == &partition; });
}

Result<void> run_members(int threads, const MemberSource& join, const RecordsHandler& handle,
                         const std::stop_token& stop) {
  if (threads < 1) {
    return Error(Errc::invalid_argument, "running a group with " + std::to_string(threads) +
                                             " threads: it takes at least one");
  }
  Run run(join, handle);
  const std::stop_callback on_stop(stop, [&] { run.end(); });
  std::vector<std::thread> others;
  for (int thread = 1; thread < threads; ++thread)
    others.emplace_back([&run, thread] { run.work(thread); });
  run.work(0);
  for (std::thread& other : others) other.join();
  return run.outcome();
}

}  // namespace millrace::inline v0::detail
