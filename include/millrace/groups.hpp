#pragma once
#include <algorithm>
#include <millrace/consumer_group.hpp>
#include <variant>

namespace millrace::inline v0 {

struct GroupSummary {
  std::string id;
  std::string state;     ///< Kafka's: Empty, PreparingRebalance, CompletingRebalance, Stable
  std::string assignor;  ///< empty if it has no members
  std::size_t members = 0;
};

struct GroupMemberInfo {
  std::string id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string host;
  std::vector<TopicPartition> assignment;
};

/// How far a group is in a partition that it has committed, or that a member reads.
struct GroupProgress {
  TopicPartition partition;
  std::optional<Committed> committed;
  Offset log_start;
  Offset log_end;
  std::optional<std::string> member_id;
  /// How many offsets are behind the committed one.
  std::optional<std::int64_t> lag() const {
    if (!committed) return std::nullopt;
    return std::max<std::int64_t>(log_end - std::max(committed->offset, log_start), 0);
  }
};

struct GroupDescription {
  GroupSummary summary;
  std::int32_t generation = 0;
  std::vector<GroupMemberInfo> members;
  std::vector<GroupProgress> progress;  ///< in order of topic and number
};

/// Where to set a group's offsets. What is not there is replaced by the nearest offset that is.
struct ResetTo {
  struct Begin {};
  struct End {};
  struct Current {};  ///< what is committed; the end if nothing is
  struct At {
    Offset offset;
  };
  struct Time {
    Timestamp time;  ///< the first record of then or later; the end if there is none
  };
  struct By {
    std::int64_t count;  ///< on from what is committed, or back if negative
  };
  std::variant<Begin, End, Current, At, Time, By> where;
};

struct OffsetMove {
  TopicPartition partition;
  std::optional<Offset> from;  ///< nothing: none was committed
  Offset to;
};

/// Looks after the groups of a broker. With an attached broker it shows what another process's
/// groups have written, and cannot change it (read_only). Thread-safe.
class Groups {
 public:
  explicit Groups(Broker broker) : broker_(std::move(broker)) {}

  /// In alphabetical order.
  Result<std::vector<GroupSummary>> list() const;
  /// unknown_group.
  Result<GroupDescription> describe(const std::string& group) const;
  /// What reset() would do for these partitions, or, if none are given, for all that the group has
  /// committed. unknown_group (if none are given), unknown_topic, unknown_partition, corrupt_data.
  Result<std::vector<OffsetMove>> plan_reset(const std::string& group,
                                             const std::vector<TopicPartition>& partitions,
                                             const ResetTo& to) const;
  /// Commits the offsets of a plan, or any others, all or none; the group is made if there is none.
  /// group_not_empty while it has members.
  Result<void> reset(const std::string& group, const std::vector<OffsetMove>& moves) const;
  /// With its committed offsets. unknown_group, group_not_empty.
  Result<void> remove(const std::string& group) const;

 private:
  Broker broker_;
};

}  // namespace millrace::inline v0
