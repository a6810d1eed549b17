#pragma once
#include <millrace/engine/broker_core.hpp>

/// Topics of a broker with all that hangs on them: committed offsets and delayed records. What
/// BrokerCore's functions of these names say holds.
namespace millrace::inline v0::server {

/// Offsets that were committed for an earlier topic of that name are forgotten first.
Result<engine::TopicPtr> create_topic(engine::BrokerCore& broker, std::string_view name,
                                      std::int32_t partitions, const engine::ConfigMap& settings,
                                      engine::FlushPolicyPtr policy = nullptr);
Result<void> alter_topic(engine::BrokerCore& broker, std::string_view name,
                         const engine::ConfigMap& changes);
Result<void> add_partitions(engine::BrokerCore& broker, std::string_view name, std::int32_t total);
Result<void> delete_topic(engine::BrokerCore& broker, std::string_view name);

}  // namespace millrace::inline v0::server
