#include "coordinator/sticky_plan.hpp"

#include <algorithm>
#include <unordered_map>

#include "coordinator/ownership.hpp"

namespace millrace::inline v0::coordinator {

StickyPlan::StickyPlan(std::span<const MemberSubscription> subscriptions,
                       const PartitionCounts& counts)
    : members(in_kafka_order(subscriptions)), topics(subscribed_topics(members, counts)) {
  std::unordered_map<const MemberSubscription*, std::size_t> indexes;
  for (std::size_t i = 0; i < members.size(); ++i) indexes.emplace(members[i], i);
  for (const SubscribedTopic& topic : topics)
    owners.emplace_back(static_cast<std::size_t>(topic.partition_count), nobody);

  const Ownership ownership(subscriptions);
  std::size_t at = 0;
  for (const Ownership::Entry& entry : ownership.entries()) {
    while (at < topics.size() && topics[at].name < entry.topic) ++at;
    if (at == topics.size()) break;
    if (topics[at].name != entry.topic || entry.contested) continue;
    if (entry.partition < 0 || entry.partition >= topics[at].partition_count) continue;
    const std::size_t owner = indexes.find(entry.member)->second;
    const auto& subscribers = topics[at].subscribers;
    if (std::binary_search(subscribers.begin(), subscribers.end(), owner))
      owners[at][static_cast<std::size_t>(entry.partition)] = owner;
  }
}

bool StickyPlan::is_uniform() const {
  return std::all_of(topics.begin(), topics.end(), [&](const SubscribedTopic& topic) {
    return topic.subscribers == topics.front().subscribers;
  });
}

}  // namespace millrace::inline v0::coordinator
