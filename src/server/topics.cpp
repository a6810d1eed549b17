#include <millrace/server/delayed_delivery.hpp>
#include <millrace/server/group_service.hpp>
#include <millrace/server/topics.hpp>

namespace millrace::inline v0::server {

Result<engine::TopicPtr> create_topic(engine::BrokerCore& broker, std::string_view name,
                                      std::int32_t partitions, const engine::ConfigMap& settings,
                                      engine::FlushPolicyPtr policy) {
  // Of an earlier topic of that name, if the process ended while that was deleted.
  if (broker.is_owner() && !broker.topic(name)) {
    MILLRACE_CHECK(GroupService::forget_topic(broker, name));
  }
  MILLRACE_TRY(const auto made, broker.create_topic(name, partitions, settings, std::move(policy)));
  if (settings.contains(engine::delayed_delivery_setting)) {
    MILLRACE_CHECK(DelayedDelivery::start(broker));
  }
  return made;
}

Result<void> alter_topic(engine::BrokerCore& broker, std::string_view name,
                         const engine::ConfigMap& changes) {
  auto altered = broker.alter_topic(name, changes);
  if (!changes.contains(engine::delayed_delivery_setting)) return altered;
  auto started = DelayedDelivery::start(broker);
  return altered ? started : altered;
}

Result<void> add_partitions(engine::BrokerCore& broker, std::string_view name, std::int32_t total) {
  MILLRACE_CHECK(broker.add_partitions(name, total));
  return DelayedDelivery::start(broker);
}

Result<void> delete_topic(engine::BrokerCore& broker, std::string_view name) {
  MILLRACE_CHECK(broker.delete_topic(name));
  return GroupService::forget_topic(broker, name);
}

}  // namespace millrace::inline v0::server
