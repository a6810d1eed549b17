#include <algorithm>
#include <millrace/server/delayed_delivery.hpp>

#include "server/delayed_partition.hpp"

namespace millrace::inline v0::server {

DelayedDelivery::~DelayedDelivery() = default;

Result<void> DelayedDelivery::start(engine::BrokerCore& broker) {
  if (!broker.is_owner()) return {};
  MILLRACE_TRY(const auto topics, broker.topics());
  const bool any_delays = std::any_of(topics.begin(), topics.end(), [](const auto& topic) {
    return topic->partitions.front()->delays();
  });
  if (!any_delays) return {};
  MILLRACE_TRY(const auto service, broker.service("delayed delivery", [] {
    return Result<engine::BrokerServicePtr>(std::make_shared<DelayedDelivery>());
  }));
  std::static_pointer_cast<DelayedDelivery>(service)->take_up(broker, topics);
  return {};
}

void DelayedDelivery::take_up(engine::BrokerCore& broker,
                              const std::vector<engine::TopicPtr>& topics) {
  const std::lock_guard lock(mutex_);
  std::erase_if(partitions_, [](const auto& known) { return known->is_gone(); });
  for (const auto& topic : topics) {
    for (const auto& partition : topic->partitions) {
      const bool is_known = std::any_of(partitions_.begin(), partitions_.end(),
                                        [&](const auto& one) { return one->is_of(partition); });
      if (is_known || !partition->delays()) continue;
      partitions_.push_back(
          std::make_shared<DelayedPartition>(partition, broker.scheduler(), topic->entry.id));
      partitions_.back()->start();
    }
  }
}

}  // namespace millrace::inline v0::server
