#include <algorithm>

#include "coordinator/member_order.hpp"

namespace millrace::inline v0::coordinator {
namespace {

class RangeAssignor final : public Assignor {
 public:
  std::string_view name() const noexcept override { return "range"; }
  bool is_cooperative() const noexcept override { return false; }

  GroupAssignment assign(std::span<const MemberSubscription> members,
                         const PartitionCounts& counts) const override {
    const auto ordered = in_kafka_order(members);
    GroupAssignment assignment = empty_assignment(members);
    for (const SubscribedTopic& topic : subscribed_topics(ordered, counts)) {
      const auto subscribers = static_cast<PartitionId>(topic.subscribers.size());
      const PartitionId each = topic.partition_count / subscribers;
      PartitionId with_one_more = topic.partition_count % subscribers;
      PartitionId next = 0;
      for (const std::size_t member : topic.subscribers) {
        auto& partitions = assignment.find(ordered[member]->member_id)->second;
        const PartitionId end = next + each + (with_one_more-- > 0 ? 1 : 0);
        for (; next < end; ++next) partitions.push_back({std::string(topic.name), next});
      }
    }
    return assignment;
  }
};

}  // namespace

const Assignor& range_assignor() noexcept {
  static const RangeAssignor assignor;
  return assignor;
}

}  // namespace millrace::inline v0::coordinator
