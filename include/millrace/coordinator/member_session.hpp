#pragma once
#include <functional>
#include <millrace/coordinator/assignor.hpp>
#include <millrace/coordinator/group_requests.hpp>
#include <variant>

namespace millrace::inline v0::coordinator {

/// What a rebalance changed for a member.
struct OwnershipChange {
  std::vector<TopicPartition> revoked;   ///< given up in order: commit what was done, then stop
  std::vector<TopicPartition> assigned;  ///< to be read from now on
  std::vector<TopicPartition> lost;      ///< somebody else may have them already: do not commit
  bool empty() const noexcept { return revoked.empty() && assigned.empty() && lost.empty(); }
};

/// A consumer's side of the group protocol: says what to ask the coordinator next, and what its
/// answers mean. A pure state machine (Kafka's ConsumerCoordinator; KIP-345, KIP-429), the same for
/// a coordinator in this process and one behind a wire. Not thread-safe.
///
/// Drive it so: take_change() until it is empty, telling the user of each; then next(), and send
/// what it gives; then hand in the answer.
class MemberSession {
 public:
  struct Options {
    std::string group;
    std::optional<std::string> instance_id;
    std::string client_id;
    std::string client_host;
    Milliseconds session_timeout{0};
    Milliseconds rebalance_timeout{0};
    /// In order of preference; they must outlive the session. It is cooperative if all are.
    std::vector<const Assignor*> assignors;
    bool requires_member_id = false;
  };
  enum class State : std::uint8_t {
    unjoined,  ///< next() asks to join
    joining,   ///< a join is under way
    joined,    ///< next() asks to sync
    syncing,   ///< a sync is under way
    stable,    ///< has an assignment
    failed,    ///< out for good: failure() says why
  };
  using Request = std::variant<std::monostate, JoinRequest, SyncRequest>;
  /// How many partitions a topic has; 0 if there is no such topic.
  using CountSource = std::function<std::int32_t(const std::string& topic)>;

  explicit MemberSession(Options options);

  /// What it wants to read from now on; joins again if that is not what it was.
  void subscribe(std::vector<std::string> topics);
  /// Joins again if this member leads and what it assigned by is not so any more.
  void check_counts(const CountSource& counts);
  /// Joins again.
  void rejoin() noexcept { must_join_ = true; }

  /// What to ask now; nothing while an answer is awaited, a change is to be taken, or all is well.
  Request next(const CountSource& counts);
  void joined(JoinReply reply);
  void synced(SyncReply reply);
  /// What the coordinator said to a heartbeat or a commit; any error that concerns the membership
  /// has its consequences.
  void answered(const Result<void>& answer);

  /// What has changed for the user since it was last asked.
  OwnershipChange take_change() { return std::exchange(change_, {}); }
  /// What went wrong since it was last asked; after fatal ones state() is failed.
  std::optional<Error> take_error() { return std::exchange(error_, std::nullopt); }

  bool has_error() const noexcept { return error_.has_value(); }

  State state() const noexcept { return state_; }
  bool is_cooperative() const noexcept { return cooperative_; }
  /// Has an assignment and no reason to join again.
  bool is_settled() const noexcept { return state_ == State::stable && !must_join_; }
  /// Has joined; only then heartbeats and commits make sense.
  bool is_member() const noexcept { return generation_ >= 0; }
  const std::vector<TopicPartition>& owned() const noexcept { return owned_; }
  /// The generation whose assignment that was; -1 if there was none.
  std::int32_t owned_generation() const noexcept { return owned_generation_; }
  /// To be shown with heartbeats and commits.
  Membership membership() const;

 private:
  OwnedBytes subscription_for(const Assignor& assignor) const;
  JoinRequest make_join() const;
  SyncRequest make_sync(const CountSource& counts);
  Result<std::vector<MemberAssignment>> assign(const CountSource& counts);
  void take(std::vector<TopicPartition> assigned);
  void lose_membership();
  void fail(const Error& error);
  void handle(const Error& error);

  const Options options_;
  const bool cooperative_;
  State state_ = State::unjoined;
  bool must_join_ = true;
  std::vector<std::string> topics_;
  std::string member_id_;
  std::int32_t generation_ = -1;
  JoinAnswer join_;
  PartitionCounts assigned_by_;  // what the leader knew when it assigned
  std::vector<TopicPartition> owned_;
  std::int32_t owned_generation_ = -1;
  std::vector<TopicPartition> last_assigned_;  ///< also after they were revoked
  OwnershipChange change_;
  std::optional<Error> error_;
};

}  // namespace millrace::inline v0::coordinator
