#pragma once
#include <functional>
#include <millrace/coordinator/group_coordinator.hpp>
#include <optional>
#include <string>

namespace millrace::inline v0::coordinator {

/// Hears that a group is to be joined again, so that a member that sleeps need not find out by a
/// heartbeat. Called on any thread; must be quick and must not call who calls it.
class GroupWatcher {
 public:
  virtual ~GroupWatcher() = default;
  virtual void rebalance_begun() noexcept = 0;
};

/// What a member asks of the coordinator of its group, be that in this process or in another.
/// Thread-safe. Callbacks come once each, on this or another thread, without a lock held.
class GroupAccess {
 public:
  virtual ~GroupAccess() = default;

  virtual void join(const JoinRequest& request, std::function<void(JoinReply)> done) = 0;
  virtual void sync(const SyncRequest& request, std::function<void(SyncReply)> done) = 0;
  virtual Result<void> heartbeat(const Membership& from) = 0;
  virtual Result<void> leave(const std::string& group, const MemberIdentity& member) = 0;
  /// Returns when the offsets are durable. unknown_topic if one is of a topic that does not exist
  /// (any more).
  virtual Result<void> commit(const CommitRequest& request) = 0;
  /// Returns at once; durable when `done` is called. Comes before other commits of the group,
  /// leaving it, and its removal, if those are asked for after it.
  virtual void commit_later(CommitRequest request, std::function<void(Result<void>)> done) = 0;
  /// Whether a transaction that is not over has offsets of that partition; those who watch the
  /// group are called when it has none any more.
  virtual bool has_pending(std::string_view group, const TopicPartition& partition) = 0;
  virtual std::optional<CommittedOffset> committed(std::string_view group,
                                                   const TopicPartition& partition) = 0;

  virtual void watch(const std::string& group, GroupWatcher& watcher) = 0;
  /// After it returns the watcher is not called any more.
  virtual void unwatch(const std::string& group, GroupWatcher& watcher) = 0;
};

}  // namespace millrace::inline v0::coordinator
