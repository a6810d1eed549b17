#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <millrace/coordinator/topic_partition.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::inline v0::coordinator {

/// What the leader knows of one member. Neither the order nor repetitions matter in what it lists.
struct MemberSubscription {
  /// Different for each member of the group.
  std::string member_id;
  /// Of a static member (KIP-345), which keeps its place in the order when it comes back under
  /// another member id. Different for each member too.
  std::optional<std::string> instance_id;
  std::vector<std::string> topics;
  /// What it still has of earlier assignments. May be out of date or wrong.
  std::vector<TopicPartition> owned_partitions;
  /// The generation in which it got them; nullopt counts as older than any.
  std::optional<std::int32_t> generation_id;
};

/// How many partitions each topic has. A topic that is not here does not exist (yet), and nothing
/// of it is assigned.
using PartitionCounts = std::map<std::string, std::int32_t, std::less<>>;

/// By member id, what that member is to read; each member of the group has an entry.
using GroupAssignment = std::map<std::string, std::vector<TopicPartition>, std::less<>>;

/// Divides the partitions of a group's topics among its members. It is run by the group's leader,
/// and must be a pure function of its arguments: no state, safe to call from several threads.
class Assignor {
 public:
  virtual ~Assignor() = default;

  /// By which the members of a group agree on it, e.g. "range". Does not change.
  virtual std::string_view name() const noexcept = 0;
  /// Whether members keep reading what they own while they rebalance (KIP-429). If so, assign()
  /// must not give a partition to one member while another owns it: see withhold_moving().
  virtual bool is_cooperative() const noexcept = 0;
  /// Must give each partition of a topic that a member subscribes to and that is in `counts` to
  /// exactly one subscriber; a cooperative one may leave out those that have an owner.
  virtual GroupAssignment assign(std::span<const MemberSubscription> members,
                                 const PartitionCounts& counts) const = 0;
};

/// "range": each topic by itself, in runs of neighbours; the first members get one more. Partitions
/// of the same number of several topics go to the same member. Kafka's RangeAssignor, without
/// racks.
const Assignor& range_assignor() noexcept;

/// "roundrobin": all partitions in order, dealt out to the members in order. Kafka's
/// RoundRobinAssignor.
const Assignor& round_robin_assignor() noexcept;

/// "sticky": as even as the subscriptions allow, and what members own stays where that lets it. If
/// all members subscribe to the same topics their counts differ by at most one, and no assignment
/// that even moves fewer partitions. If they do not, the sum of the squares of their counts is the
/// least possible, so no member has a partition that one with two or more fewer could take; moves
/// are few, if not always the fewest. If what members own is that even already, nothing moves.
///
/// Of several members that claim a partition the one of the highest generation owns it; if that is
/// not one member alone, nobody does.
const Assignor& sticky_assignor() noexcept;

/// "cooperative-sticky": the same, but a partition that is to move from an owner is given to
/// nobody: the owner revokes it and joins again, and in that second round it is given away. The
/// second round revokes nothing if nothing else changes.
const Assignor& cooperative_sticky_assignor() noexcept;

/// One of the above by its name; nullptr if there is none of that name.
const Assignor* find_assignor(std::string_view name) noexcept;

}  // namespace millrace::inline v0::coordinator
