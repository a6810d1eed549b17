#pragma once
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "coordinator/member_order.hpp"

namespace millrace::inline v0::coordinator {

inline constexpr std::size_t nobody = std::numeric_limits<std::size_t>::max();

/// By topic and partition, the index of a member, or `nobody`.
using MembersByPartition = std::vector<std::vector<std::size_t>>;

/// What the sticky assignors work on: names replaced by indexes.
struct StickyPlan {
  std::vector<const MemberSubscription*> members;  // in Kafka's order
  std::vector<SubscribedTopic> topics;             // by name
  /// Who owns what and may keep it: it is alone with its claim, and still subscribes.
  MembersByPartition owners;

  StickyPlan(std::span<const MemberSubscription> subscriptions, const PartitionCounts& counts);
  /// Whether all topics have the same subscribers.
  bool is_uniform() const;
};

/// Gives every partition a subscriber, evenly and with the fewest moves; only if is_uniform().
/// Linear in the partitions.
MembersByPartition assign_uniform(const StickyPlan& plan);

/// The same for any subscriptions: first as evenly as can be, then with few moves. In three steps:
/// owners keep what they own; what is free is divided as evenly as that allows; only if that is not
/// as even as can be without owners, are owned partitions moved. In the second round of a
/// cooperative rebalance the first two steps suffice, so that it revokes nothing.
MembersByPartition assign_general(const StickyPlan& plan);

}  // namespace millrace::inline v0::coordinator
