#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <millrace/coordinator/group_access.hpp>
#include <millrace/server/internal_topic.hpp>
#include <mutex>

namespace millrace::inline v0::server {

struct GroupServiceOptions {
  coordinator::GroupCoordinatorOptions coordinator = {};
  /// Of a new __consumer_offsets [offsets.topic.num.partitions]. Kafka has 50, to spread groups
  /// over brokers; in one process fewer share more syncs.
  std::int32_t partitions = 4;
};

using coordinator::GroupWatcher;

/// The consumer groups of a broker: runs the coordinator, keeps its records in __consumer_offsets,
/// and is its clock. Thread-safe. Callbacks come once each, on this or another thread, without a
/// lock held.
///
/// What a caller waits for is made durable on its own thread, together with what others wait for.
class GroupService final : public engine::BrokerService,
                           public coordinator::GroupAccess,
                           public std::enable_shared_from_this<GroupService> {
 public:
  /// The one service of this broker; opened, and its groups loaded, when it is first asked for.
  static Result<std::shared_ptr<GroupService>> of(engine::BrokerCore& broker,
                                                  const GroupServiceOptions& options = {});

  void join(const coordinator::JoinRequest& request,
            std::function<void(coordinator::JoinReply)> done) override;
  void sync(const coordinator::SyncRequest& request,
            std::function<void(coordinator::SyncReply)> done) override;
  Result<void> heartbeat(const coordinator::Membership& from) override;
  Result<void> leave(const std::string& group, const coordinator::MemberIdentity& member) override;
  Result<void> commit(const coordinator::CommitRequest& request) override;
  /// `done` comes on the broker's schedule.
  void commit_later(coordinator::CommitRequest request,
                    std::function<void(Result<void>)> done) override;
  /// The same within a producer's transaction, to which the group's partition of
  /// __consumer_offsets has been added: the offsets count once that is committed.
  Result<void> commit_in_transaction(const coordinator::CommitRequest& request,
                                     const coordinator::ProducerEpoch& producer);
  /// Ends what a producer's transaction has in a partition of __consumer_offsets. Durable when it
  /// returns.
  Result<void> end_transaction(PartitionId partition, const coordinator::ProducerEpoch& producer,
                               bool is_commit);
  bool has_pending(std::string_view group, const coordinator::TopicPartition& partition) override;
  /// Where in __consumer_offsets the offsets of a group are.
  PartitionId partition_of(std::string_view group) const noexcept;
  std::optional<coordinator::CommittedOffset> committed(
      std::string_view group, const coordinator::TopicPartition& partition) override;

  Result<void> remove_group(const std::string& group);
  /// Forgets what the group committed for these partitions; see GroupCoordinator. Durable when it
  /// returns.
  Result<void> remove_offsets(const std::string& group,
                              const std::vector<coordinator::TopicPartition>& partitions);
  /// Forgets what all groups of the broker committed for a topic that is deleted, or is about to be
  /// made anew, if there are any. Durable when it returns.
  static Result<void> forget_topic(engine::BrokerCore& broker, std::string_view topic);
  /// Lets `look` see all groups, with the coordinator held still.
  using Look = std::function<void(const coordinator::GroupCoordinator&)>;
  void look(const Look& look);
  /// The same for any broker: of another process's groups `look` sees what they have written.
  static Result<void> look_at(engine::BrokerCore& broker, const Look& look);

  void watch(const std::string& group, GroupWatcher& watcher) override;
  void unwatch(const std::string& group, GroupWatcher& watcher) override;

 private:
  using Actions = coordinator::GroupActions;
  using Token = coordinator::Token;
  using Event = std::function<void(Actions&)>;
  using CommitEvent = std::function<void(coordinator::Token, Actions&)>;
  struct LateCommit {
    coordinator::CommitRequest request;
    std::function<void(Result<void>)> done;
  };
  struct UnderWay {
    coordinator::WriteId id = {};
    Offset end;
  };
  struct Started {
    PartitionId partition = 0;
    Offset end = {};
  };

  GroupService(engine::BrokerCore& broker, const GroupServiceOptions& options, InternalTopic topic);
  Result<void> load();
  coordinator::Group::Now now() const;
  coordinator::Token next_token() { return coordinator::Token{++last_token_}; }
  void run(const Event& event);
  Result<void> wait_for_commit(const CommitEvent& event);
  Result<void> check_topics(const coordinator::CommitRequest& request);
  void start_late_commits(const std::string* group, Actions& actions);
  void start_commit(const coordinator::CommitRequest& request, Token token, Actions& actions);
  Result<void> forget_missing_topics();
  void settle(Actions actions, std::vector<Started> started);
  std::vector<Started> start_writes(Actions& actions);
  void end_writes(const Started& ended, const Result<void>& result, Actions& actions);
  void deliver(Actions& actions);
  void call_watchers(const std::string& group);
  void arm_timer();
  void timer_task(Clock::Steady due);

  engine::BrokerCore& broker_;
  const InternalTopic topic_;
  std::mutex mutex_;
  coordinator::GroupCoordinator coordinator_;
  std::uint64_t last_token_ = 0;
  std::map<coordinator::Token, std::function<void(coordinator::JoinReply)>> joins_;
  std::map<coordinator::Token, std::function<void(coordinator::SyncReply)>> syncs_;
  std::map<coordinator::Token, std::function<void(Result<void>)>> commits_;
  std::vector<std::deque<UnderWay>> under_way_;  // per partition, in the order of the log
  std::deque<LateCommit> late_commits_;
  std::multimap<std::string, GroupWatcher*, std::less<>> watchers_;
  std::optional<Clock::Steady> armed_;
};

}  // namespace millrace::inline v0::server
