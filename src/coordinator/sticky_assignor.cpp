#include <millrace/coordinator/cooperative.hpp>

#include "coordinator/sticky_plan.hpp"

namespace millrace::inline v0::coordinator {
namespace {

GroupAssignment assign_sticky(std::span<const MemberSubscription> members,
                              const PartitionCounts& counts) {
  const StickyPlan plan(members, counts);
  const MembersByPartition takers = plan.is_uniform() ? assign_uniform(plan) : assign_general(plan);
  GroupAssignment assignment = empty_assignment(members);
  std::vector<std::vector<TopicPartition>*> lists;
  for (const MemberSubscription* member : plan.members)
    lists.push_back(&assignment.find(member->member_id)->second);
  for (std::size_t topic = 0; topic < takers.size(); ++topic) {
    const std::string name(plan.topics[topic].name);
    PartitionId partition = 0;
    for (const std::size_t taker : takers[topic]) lists[taker]->push_back({name, partition++});
  }
  return assignment;
}

class StickyAssignor final : public Assignor {
 public:
  std::string_view name() const noexcept override { return "sticky"; }
  bool is_cooperative() const noexcept override { return false; }
  GroupAssignment assign(std::span<const MemberSubscription> members,
                         const PartitionCounts& counts) const override {
    return assign_sticky(members, counts);
  }
};

class CooperativeStickyAssignor final : public Assignor {
 public:
  std::string_view name() const noexcept override { return "cooperative-sticky"; }
  bool is_cooperative() const noexcept override { return true; }
  GroupAssignment assign(std::span<const MemberSubscription> members,
                         const PartitionCounts& counts) const override {
    GroupAssignment assignment = assign_sticky(members, counts);
    withhold_moving(members, assignment);
    return assignment;
  }
};

}  // namespace

const Assignor& sticky_assignor() noexcept {
  static const StickyAssignor assignor;
  return assignor;
}

const Assignor& cooperative_sticky_assignor() noexcept {
  static const CooperativeStickyAssignor assignor;
  return assignor;
}

}  // namespace millrace::inline v0::coordinator
