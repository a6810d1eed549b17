#pragma once
#include <map>
#include <memory>
#include <millrace/coordinator/group.hpp>
#include <millrace/coordinator/group_records.hpp>
#include <millrace/coordinator/offset_table.hpp>
#include <set>
#include <variant>

namespace millrace::inline v0::coordinator {

struct GroupCoordinatorOptions {
  GroupOptions group;
  Milliseconds offsets_retention = std::chrono::hours(24 * 7);  ///< [offsets.retention.minutes]
  Milliseconds retention_check_interval = std::chrono::minutes(10);
  std::size_t max_metadata_bytes = 4096;  ///< [offset.metadata.max.bytes]
};

struct OffsetToCommit {
  TopicPartition partition;
  CommittedOffset committed;
};

/// A commit by a member, or with generation -1 and without a member id by somebody who assigns its
/// partitions itself, which is good while the group has no members.
struct CommitRequest {
  Membership from;
  std::vector<OffsetToCommit> offsets;
};

/// All consumer groups and their committed offsets: Kafka's GroupCoordinator as a pure state
/// machine. Events come in with the time; answers, records to write and what is to be told come out
/// in GroupActions. What it knows can be made again from the records that it had written, by
/// load(). Not thread-safe.
///
/// A write is good once it is durable. Writes are appended in the order they were asked for; their
/// ends may be told in any order.
class GroupCoordinator {
 public:
  using Now = Group::Now;

  GroupCoordinator(const GroupCoordinatorOptions& options, Group::IdSource ids);

  void join(const JoinRequest& request, Token token, const Now& now, GroupActions& actions);
  void sync(const SyncRequest& request, Token token, const Now& now, GroupActions& actions);
  /// rebalance_in_progress: join again. unknown_member, illegal_generation, fenced_instance: what
  /// the member held is not its any more.
  Result<void> heartbeat(const Membership& from, const Now& now);
  Result<void> leave(const std::string& group, const MemberIdentity& member, const Now& now,
                     GroupActions& actions);
  /// Answered when the offsets are durable. All of them or none.
  void commit(const CommitRequest& request, Token token, const Now& now, GroupActions& actions);
  /// The same within the transaction of `producer`: the offsets count once that is committed.
  void commit_in_transaction(const CommitRequest& request, const ProducerEpoch& producer,
                             Token token, const Now& now, GroupActions& actions);
  /// The marker of a producer's transaction was appended to a partition of the internal topic;
  /// `concerns` says which groups' partition that is. Returns those that had waited for it.
  std::vector<std::string> end_transaction(std::int64_t producer_id, bool is_commit,
                                           const std::function<bool(std::string_view)>& concerns);
  /// Whether a transaction that is not over has offsets of that partition.
  bool has_pending(std::string_view group, const TopicPartition& partition) const;
  /// Null if nothing was committed for that partition.
  const CommittedOffset* committed(std::string_view group, std::string_view topic,
                                   PartitionId partition) const;
  /// Null if the group has none.
  const OffsetTable* offsets(std::string_view group) const;

  /// Answered like a commit: group_not_empty, unknown_group. If it cannot be written, the group
  /// stays.
  void remove_group(const std::string& group, Token token, GroupActions& actions);
  /// Forgets the offsets committed for a topic that was deleted, in all groups, also of commits
  /// that are being written. Answered among the commits, when that is durable.
  void remove_topic(std::string_view topic, Token token, GroupActions& actions);
  /// Forgets what a group committed for these partitions, all of them or none. Answered in the same
  /// way: unknown_group; group_not_empty if it has members that are no consumers; group_not_empty
  /// at a topic that its members read, or may read as far as can be told now.
  void remove_offsets(const std::string& group, const std::vector<TopicPartition>& partitions,
                      Token token, GroupActions& actions);
  /// The topics for which some group has committed offsets, or a transaction is to.
  std::set<std::string> topics() const;

  void written(WriteId id, const Result<void>& result, const Now& now, GroupActions& actions);

  /// Takes up one record of the internal topic, in the order of the log. corrupt_data if its bytes
  /// are not what they should be; records of other kinds are left out.
  Result<void> load(Bytes key, std::optional<Bytes> value, const Now& now);
  /// The same for one that is part of a transaction of `producer_id`; end_transaction() follows.
  Result<void> load_pending(std::int64_t producer_id, Bytes key, std::optional<Bytes> value);

  void tick(const Now& now, GroupActions& actions);
  std::optional<Clock::Steady> next_deadline() const;

  /// Null if there is no such group.
  const Group* group(std::string_view id) const;
  std::vector<const Group*> groups() const;

 private:
  struct PendingOffset {
    OffsetToCommit offset;
    std::uint64_t order = 0;  ///< of its record
  };
  struct Entry {
    explicit Entry(const std::string& id, const GroupOptions& options) : group(id, options) {}
    Group group;
    OffsetTable offsets;
    std::map<std::int64_t, std::vector<PendingOffset>> pending;  ///< by the producer's id
    std::optional<Clock::Steady> due;
    std::int32_t writes = 0;  ///< that have not ended
  };
  struct GroupWrite {
    std::string group;
    Group::Purpose purpose;
    std::int32_t generation;
  };
  struct CommitWrite {
    Token token = {};
    std::string group;
    std::vector<OffsetToCommit> offsets;
    std::optional<ProducerEpoch> transaction_of = {};
    std::optional<bool> ended = {};  ///< its transaction was: whether committed
  };
  struct Removal {
    Token token = {};
    std::int32_t writes_left = 0;
    Result<void> result = {};
  };
  struct RemovalWrite {
    std::shared_ptr<Removal> removal;
    std::string group;
    std::vector<TopicPartition> partitions;
  };
  struct GroupRemoval {
    Token token = {};
    std::map<std::string, Entry, std::less<>>::node_type group;
  };
  using Pending = std::variant<GroupWrite, CommitWrite, RemovalWrite, GroupRemoval>;

  Entry* find(std::string_view group);
  Result<Entry*> find_member_of(const Membership& from);
  Entry& find_or_make(const std::string& group);
  Result<void> check(const JoinRequest& request) const;
  Result<void> check(const CommitRequest& request, const Now& now);
  void write(Entry& entry, Pending pending, std::vector<InternalRecord> records,
             GroupActions& actions);
  void start_commit(const CommitRequest& request, CommitWrite commit, const Now& now,
                    GroupActions& actions);
  std::vector<PendingOffset>& pending_of(Entry& entry, std::int64_t producer_id);
  void apply(Entry& entry, CommitWrite& commit, std::uint64_t order);
  void after(Entry& entry, GroupActions& actions);
  void end(WriteId id, CommitWrite& commit, const Result<void>& result, GroupActions& actions);
  void end(RemovalWrite& removed, const Result<void>& result, GroupActions& actions);
  void end(GroupRemoval& removed, const Result<void>& result, const Now& now,
           GroupActions& actions);
  Result<void> check_removal(const std::string& group) const;
  Result<void> check_removal(const std::string& group,
                             const std::vector<TopicPartition>& partitions) const;
  using IsToGo = std::function<bool(std::string_view group, const TopicPartition& partition)>;
  void remove_offsets_if(const IsToGo& is_to_go, Token token, GroupActions& actions);
  static std::vector<InternalRecord> tombstones_of(const Entry& entry);
  void expire(const Now& now, GroupActions& actions);
  std::vector<TopicPartition> expired(const Entry& entry, Timestamp now) const;
  void forget(const std::string& group, const Now& now, GroupActions& actions);

  const GroupCoordinatorOptions options_;
  const Group::IdSource ids_;
  std::map<std::string, Entry, std::less<>> groups_;
  /// Those with pending offsets, by the producer's id: markers are many, groups may be too.
  std::map<std::int64_t, std::set<std::string>> waiting_;
  std::set<std::pair<Clock::Steady, std::string>> timers_;
  std::optional<Clock::Steady> next_expiry_;
  std::uint64_t last_write_ = 0;
  std::map<WriteId, Pending> pending_;
};

}  // namespace millrace::inline v0::coordinator
