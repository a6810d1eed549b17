#pragma once
#include <condition_variable>
#include <deque>
#include <memory>
#include <millrace/client/group_calls.hpp>
#include <millrace/client/owner_link.hpp>
#include <millrace/coordinator/group_access.hpp>
#include <thread>

namespace millrace::inline v0::client {

/// A consumer group whose coordinator is in the process that owns the directory, for one member in
/// another one, asked through the owner's socket. Says on its own, every three seconds, that the
/// member lives, until that has asked for nothing for longer than a member may.
class OwnersGroups final : public coordinator::GroupAccess {
 public:
  using Milliseconds = coordinator::Milliseconds;

  /// read_only if nobody serves the socket.
  static Result<std::shared_ptr<OwnersGroups>> open(const std::string& socket_path,
                                                    std::string group,
                                                    Milliseconds longest_silence);
  ~OwnersGroups() override;

  /// Asks with a session timeout that fits the heartbeats.
  void join(const coordinator::JoinRequest& request,
            std::function<void(coordinator::JoinReply)> done) override;
  void sync(const coordinator::SyncRequest& request,
            std::function<void(coordinator::SyncReply)> done) override;
  Result<void> heartbeat(const coordinator::Membership& from) override;
  Result<void> leave(const std::string& group, const coordinator::MemberIdentity& member) override;
  Result<void> commit(const coordinator::CommitRequest& request) override;
  void commit_later(coordinator::CommitRequest request,
                    std::function<void(Result<void>)> done) override;
  bool has_pending(std::string_view group, const TopicPartition& partition) override;
  std::optional<coordinator::CommittedOffset> committed(std::string_view group,
                                                        const TopicPartition& partition) override;
  void watch(const std::string& group, coordinator::GroupWatcher& watcher) override;
  void unwatch(const std::string& group, coordinator::GroupWatcher& watcher) override;

 private:
  using Work = std::function<void()>;
  /// A thread that does what it is given, in order.
  struct Worker {
    std::deque<Work> work;
    std::condition_variable changed;
    std::thread thread;
  };

  OwnersGroups(const std::string& socket_path, std::string group, Milliseconds longest_silence);
  void start();
  void give(Worker& worker, Work work);
  void run(Worker& worker);
  void keep_alive();
  void note_member(const coordinator::Membership& membership);
  Result<CommittedOffsets> ask_committed(const TopicPartition& partition);
  Result<void> commit_now(const coordinator::CommitRequest& request);

  const std::string group_;
  const Milliseconds longest_silence_;
  OwnerLink link_;     // for what is answered at once
  OwnerLink waiting_;  // for what waits until other members have joined
  std::mutex mutex_;
  bool is_ending_ = false;
  Worker joiner_;
  Worker committer_;
  std::condition_variable ended_;
  std::thread keeper_;
  coordinator::Membership membership_;  // no generation: there is none to keep
  std::chrono::steady_clock::time_point last_asked_;
  coordinator::GroupWatcher* watcher_ = nullptr;
  // As this member, the only one who may, has seen or made them.
  std::map<TopicPartition, std::optional<coordinator::CommittedOffset>> known_;
};

}  // namespace millrace::inline v0::client
