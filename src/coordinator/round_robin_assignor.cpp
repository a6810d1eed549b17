#include <algorithm>

#include "coordinator/member_order.hpp"

namespace millrace::inline v0::coordinator {
namespace {

class RoundRobinAssignor final : public Assignor {
 public:
  std::string_view name() const noexcept override { return "roundrobin"; }
  bool is_cooperative() const noexcept override { return false; }

  GroupAssignment assign(std::span<const MemberSubscription> members,
                         const PartitionCounts& counts) const override {
    const auto ordered = in_kafka_order(members);
    GroupAssignment assignment = empty_assignment(members);
    std::size_t turn = 0;  // the member that is asked next, over all topics
    for (const SubscribedTopic& topic : subscribed_topics(ordered, counts)) {
      const auto& subscribers = topic.subscribers;
      for (PartitionId partition = 0; partition < topic.partition_count; ++partition) {
        auto taker = std::lower_bound(subscribers.begin(), subscribers.end(), turn);
        if (taker == subscribers.end()) taker = subscribers.begin();
        assignment.find(ordered[*taker]->member_id)
            ->second.push_back({std::string(topic.name), partition});
        turn = *taker + 1;
      }
    }
    return assignment;
  }
};

}  // namespace

const Assignor& round_robin_assignor() noexcept {
  static const RoundRobinAssignor assignor;
  return assignor;
}

}  // namespace millrace::inline v0::coordinator
