#pragma once
#include <functional>
#include <map>
#include <millrace/coordinator/group_member.hpp>
#include <set>
#include <utility>

namespace millrace::inline v0::coordinator {

enum class GroupState : std::uint8_t {
  empty,                 ///< no members; committed offsets may remain
  preparing_rebalance,   ///< members are asked to join again
  completing_rebalance,  ///< all have joined; the leader's assignment is awaited
  stable,                ///< everybody has an assignment
  dead,                  ///< removed
};

/// Kafka's name of a state, as DescribeGroups gives it.
std::string_view to_string(GroupState state) noexcept;

/// What a group and its coordinator agree on.
struct GroupOptions {
  Milliseconds initial_rebalance_delay{0};  ///< [group.initial.rebalance.delay.ms]; Kafka: 3 s
  Milliseconds min_session_timeout{1};      ///< [group.min.session.timeout.ms]; Kafka: 6 s
  Milliseconds max_session_timeout = std::chrono::minutes(30);
  std::size_t max_size = 2'147'483'647;  ///< members [group.max.size]
};

/// The members of one group, and how partitions pass between them: joins, syncs and heartbeats
/// against time. A pure state machine (Kafka's GroupMetadata and GroupCoordinator; KIP-345 for
/// static members): answers and records to write go into GroupActions. Not thread-safe.
class Group {
 public:
  using Steady = Clock::Steady;
  /// Makes the part of a member's id that nobody else has.
  using IdSource = std::function<std::string()>;
  /// What a write that ended was for.
  enum class Purpose : std::uint8_t { sync, take_over, emptied };

  Group(std::string id, const GroupOptions& options);

  const std::string& id() const noexcept { return id_; }
  GroupState state() const noexcept { return state_; }
  std::int32_t generation() const noexcept { return generation_; }
  const std::string& protocol_type() const noexcept { return protocol_type_; }
  const std::string& protocol() const noexcept { return protocol_; }
  const std::string& leader() const noexcept { return leader_; }
  const std::map<std::string, Member>& members() const noexcept { return members_; }
  /// Of all members together. Nothing if that cannot be told: while they join and sync, or if they
  /// speak another protocol than Kafka's consumers.
  std::optional<std::set<std::string>> subscribed_topics() const;
  /// When it got into the state it is in, by the wall clock.
  Timestamp state_since() const noexcept { return state_since_; }

  /// A time for timers, one for records.
  struct Now {
    Steady steady;
    Timestamp wall;
  };

  void join(const JoinRequest& request, Token token, const Now& now, const IdSource& ids,
            GroupActions& actions);
  void sync(const SyncRequest& request, Token token, const Now& now, GroupActions& actions);
  /// rebalance_in_progress tells the member to join again.
  Result<void> heartbeat(const Membership& from, const Now& now);
  Result<void> leave(const MemberIdentity& identity, const Now& now, GroupActions& actions);
  /// Whether a commit of that member counts.
  Result<void> check_commit(const Membership& from, const Now& now);
  /// Does what is due at `now`.
  void tick(const Now& now, GroupActions& actions);
  /// When tick() has something to do next.
  std::optional<Steady> next_deadline() const;
  /// The write of this group's state, asked for with `purpose`, has ended.
  void written(Purpose purpose, std::int32_t generation, const Result<void>& result, const Now& now,
               GroupActions& actions);

  /// Whether the state changed in a way that has to be written, and for what; asks once.
  std::optional<Purpose> take_write() noexcept { return std::exchange(to_write_, std::nullopt); }

  /// Takes up a group as it was written. Every member has a session from now on, but for those of a
  /// process that is gone, which tick() removes.
  void load(GroupSnapshot was, const Now& now);
  /// It was removed: whoever waits is told.
  void kill(const Now& now, GroupActions& actions);

 private:
  using MemberMap = std::map<std::string, Member>;

  Error refused(Errc code, std::string why) const;
  Result<void> check_protocols(const JoinRequest& request) const;
  bool supports(const JoinRequest& request) const;
  Result<Member*> find(const MemberIdentity& identity);
  Result<Member*> find(const Membership& from);
  void join_new(const JoinRequest& request, Token token, const Now& now, const IdSource& ids,
                GroupActions& actions);
  void add_member(const JoinRequest& request, std::string member_id, Token token, const Now& now,
                  GroupActions& actions);
  void join_again(Member& member, const JoinRequest& request, Token token, const Now& now,
                  GroupActions& actions);
  void take_over(const JoinRequest& request, Token token, const Now& now, const IdSource& ids,
                 GroupActions& actions);
  void update(Member& member, const JoinRequest& request) const;
  void wait_to_join(Member& member, const JoinRequest& request, Token token, const Now& now,
                    GroupActions& actions);
  JoinAnswer answer_for(const Member& member, bool skip_assignment) const;
  void prepare_rebalance(const Now& now, GroupActions& actions);
  void complete_if_all_joined(const Now& now, GroupActions& actions);
  void complete_join(const Now& now, GroupActions& actions);
  void remove_absent();
  void become_empty(const Now& now);
  std::string choose_protocol() const;
  bool is_common(std::string_view protocol) const;
  void answer_syncs(GroupActions& actions, const Result<void>& result);
  void remove(const std::string& member_id, const Now& now, GroupActions& actions);
  void expire_members(const Now& now, GroupActions& actions);
  Milliseconds longest_rebalance() const;
  void enter(GroupState state, const Now& now) noexcept {
    state_ = state;
    state_since_ = now.wall;
  }

  const std::string id_;
  const GroupOptions& options_;
  GroupState state_ = GroupState::empty;
  Timestamp state_since_ = Timestamp::none();
  std::int32_t generation_ = 0;
  std::string protocol_type_;
  std::string protocol_;
  std::string leader_;
  MemberMap members_;
  std::map<std::string, Steady> pending_;         ///< ids given out that nobody came back with yet
  std::map<std::string, std::string> instances_;  ///< instance id to member id

  Steady join_ends_{};           ///< preparing: when the rest is waited for no longer
  std::optional<Steady> delay_;  ///< preparing, from empty: not before then
  Steady sync_ends_{};           ///< completing: when members that did not sync are removed
  bool assigned_ = false;        ///< completing: the leader has sent its assignment
  std::optional<Purpose> to_write_;
};

}  // namespace millrace::inline v0::coordinator
