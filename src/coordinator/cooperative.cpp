#include <algorithm>
#include <iterator>
#include <millrace/coordinator/cooperative.hpp>

#include "coordinator/ownership.hpp"

namespace millrace::inline v0::coordinator {
namespace {

std::vector<TopicPartition> sorted_once(std::span<const TopicPartition> partitions) {
  std::vector<TopicPartition> sorted(partitions.begin(), partitions.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

}  // namespace

AssignmentChange change_between(std::span<const TopicPartition> owned,
                                std::span<const TopicPartition> assigned) {
  const auto before = sorted_once(owned);
  const auto after = sorted_once(assigned);
  AssignmentChange change;
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                      std::back_inserter(change.added));
  std::set_difference(before.begin(), before.end(), after.begin(), after.end(),
                      std::back_inserter(change.revoked));
  return change;
}

void withhold_moving(std::span<const MemberSubscription> members, GroupAssignment& assignment) {
  const Ownership ownership(members);
  for (auto& [member_id, partitions] : assignment) {
    std::erase_if(partitions, [&, &taker = member_id](const TopicPartition& each) {
      const auto* owner = ownership.find(each.topic, each.partition);
      return owner != nullptr && (owner->contested || owner->member->member_id != taker);
    });
  }
}

bool needs_follow_up(std::span<const MemberSubscription> members,
                     const GroupAssignment& assignment) {
  return std::any_of(members.begin(), members.end(), [&](const MemberSubscription& member) {
    const auto given = assignment.find(member.member_id);
    if (given == assignment.end()) return !member.owned_partitions.empty();
    return !change_between(member.owned_partitions, given->second).revoked.empty();
  });
}

}  // namespace millrace::inline v0::coordinator
