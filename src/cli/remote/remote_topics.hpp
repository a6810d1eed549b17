#pragma once
#include <millrace/broker.hpp>
#include <millrace/client/cluster.hpp>

#include "../topic_text.hpp"

/// What the subcommands do with a broker that runs, by asking it.
namespace millrace::inline v0::cli::remote {

Result<std::vector<TopicInfo>> list_topics(client::Cluster& cluster);
Result<TopicInfo> find_topic(client::Cluster& cluster, const std::string& name);
Result<TopicDescription> describe_topic(client::Cluster& cluster, const std::string& name);
Result<void> create_topic(client::Cluster& cluster, const std::string& name,
                          std::optional<std::int32_t> partitions, const TopicSettings& settings);
/// An empty value resets.
Result<void> alter_topic(client::Cluster& cluster, const std::string& name,
                         const TopicSettings& changes);
Result<void> add_partitions(client::Cluster& cluster, const std::string& name, std::int32_t total);
Result<void> delete_topic(client::Cluster& cluster, const std::string& name);

}  // namespace millrace::inline v0::cli::remote
