#include "remote_topics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <millrace/client/errors.hpp>
#include <millrace/protocol/messages/create_partitions.hpp>
#include <millrace/protocol/messages/create_topics.hpp>
#include <millrace/protocol/messages/delete_topics.hpp>
#include <millrace/protocol/messages/describe_configs.hpp>
#include <millrace/protocol/messages/describe_log_dirs.hpp>
#include <millrace/protocol/messages/incremental_alter_configs.hpp>

#include "remote_offsets.hpp"

namespace millrace::inline v0::cli::remote {
namespace {

using namespace protocol;
using client::check;
using client::Cluster;

constexpr std::int8_t topic_resource = 2;
constexpr std::int8_t of_the_topic = 1;
constexpr std::int32_t patience_ms = 30'000;

Error not_one_answer(std::string_view doing) {
  return {Errc::corrupt_data, fmt::format("{}: the answer is not about the one topic that was "
                                          "asked about",
                                          doing)};
}

using Configs = std::vector<DescribeConfigsResponse::Config>;

/// Of each of `names`, in their order.
Result<std::vector<Configs>> configs_of(Cluster& cluster, const std::vector<std::string>& names) {
  DescribeConfigsRequest request;
  for (const std::string& name : names) {
    request.resources.push_back({topic_resource, name, std::nullopt});
  }
  MILLRACE_TRY(auto response, cluster.any().call<DescribeConfigsResponse>(request));
  std::vector<Configs> all(names.size());
  for (auto& result : response.results) {
    const std::string doing = "asking for the settings of topic " + result.resource_name;
    MILLRACE_CHECK(check(doing, result.error_code, result.error_message));
    const auto at = std::find(names.begin(), names.end(), result.resource_name);
    if (at == names.end()) return not_one_answer(doing);
    all[static_cast<std::size_t>(at - names.begin())] = std::move(result.configs);
  }
  return all;
}

TopicSettings settings_in(const Configs& configs) {
  TopicSettings settings;
  for (const auto& config : configs) {
    if (config.config_source == of_the_topic) settings[config.name] = config.value.value_or("");
  }
  return settings;
}

std::vector<engine::ConfigEntry> entries_in(const Configs& configs) {
  const auto known = engine::describe_topic_config({});
  std::vector<engine::ConfigEntry> entries;
  for (const auto& config : configs) {
    engine::ConfigEntry entry{
        config.name, config.value.value_or(""), config.config_source != of_the_topic, {}};
    for (const auto& one : known) {
      if (one.name == config.name) entry.help = one.help;
    }
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

/// By number of partition; none where the broker does not tell.
Result<std::map<std::int32_t, std::uint64_t>> bytes_of(Cluster& cluster, const std::string& name,
                                                       std::int32_t partitions) {
  std::map<std::int32_t, std::uint64_t> bytes;
  if (!cluster.any().serves(ApiKey::describe_log_dirs)) return bytes;
  DescribeLogDirsRequest request;
  auto& topic = request.topics->emplace_back();
  topic.topic = name;
  for (std::int32_t id = 0; id < partitions; ++id) topic.partitions.push_back(id);
  MILLRACE_TRY(const auto response, cluster.any().call<DescribeLogDirsResponse>(request));
  for (const auto& directory : response.results) {
    for (const auto& in_it : directory.topics) {
      for (const auto& one : in_it.partitions) {
        bytes[one.partition_index] =
            static_cast<std::uint64_t>(std::max<std::int64_t>(one.partition_size, 0));
      }
    }
  }
  return bytes;
}

}  // namespace

Result<std::vector<TopicInfo>> list_topics(Cluster& cluster) {
  MILLRACE_TRY(const auto metadata, cluster.metadata(std::nullopt));
  std::vector<TopicInfo> topics;
  std::vector<std::string> names;
  for (const auto& topic : metadata.topics) {
    if (topic.is_internal || topic.error_code != WireError::none) continue;
    names.push_back(topic.name.value_or(""));
    topics.push_back({names.back(), static_cast<std::int32_t>(topic.partitions.size()), {}});
  }
  if (names.empty()) return topics;
  MILLRACE_TRY(const auto configs, configs_of(cluster, names));
  for (std::size_t i = 0; i < topics.size(); ++i) topics[i].settings = settings_in(configs[i]);
  std::sort(topics.begin(), topics.end(),
            [](const TopicInfo& a, const TopicInfo& b) { return a.name < b.name; });
  return topics;
}

Result<TopicInfo> find_topic(Cluster& cluster, const std::string& name) {
  MILLRACE_TRY(const auto topic, cluster.topic(name));
  MILLRACE_TRY(const auto configs, configs_of(cluster, {name}));
  return TopicInfo{name, static_cast<std::int32_t>(topic.partitions.size()),
                   settings_in(configs.front())};
}

Result<TopicDescription> describe_topic(Cluster& cluster, const std::string& name) {
  MILLRACE_TRY(const auto topic, cluster.topic(name));
  const auto partitions = static_cast<PartitionId>(topic.partitions.size());
  MILLRACE_TRY(auto bytes, bytes_of(cluster, name, partitions));
  OffsetFinder finder(cluster);
  TopicDescription description{name, {}, {}};
  for (PartitionId id = 0; id < partitions; ++id) {
    MILLRACE_TRY(const auto offsets, finder.offsets({name, id}));
    description.partitions.push_back({id, offsets, bytes[id]});
  }
  MILLRACE_TRY(const auto configs, configs_of(cluster, {name}));
  description.settings = entries_in(configs.front());
  return description;
}

Result<void> create_topic(Cluster& cluster, const std::string& name,
                          std::optional<std::int32_t> partitions, const TopicSettings& settings) {
  constexpr std::int16_t usual_replicas = -1;
  CreateTopicsRequest request{.timeout_ms = patience_ms};
  request.topics.push_back({.name = name,
                            .num_partitions = partitions.value_or(1),
                            .replication_factor = usual_replicas});
  for (const auto& [setting, value] : settings) {
    request.topics.front().configs.push_back({setting, value});
  }
  MILLRACE_TRY(client::Connection* const to, cluster.controller());
  MILLRACE_TRY(const auto response, to->call<CreateTopicsResponse>(request));
  const std::string doing = "creating topic " + name;
  if (response.topics.size() != 1) return not_one_answer(doing);
  return check(doing, response.topics[0].error_code, response.topics[0].error_message);
}

Result<void> alter_topic(Cluster& cluster, const std::string& name, const TopicSettings& changes) {
  constexpr std::int8_t set = 0;
  constexpr std::int8_t reset = 1;
  IncrementalAlterConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = topic_resource;
  resource.resource_name = name;
  for (const auto& [setting, value] : changes) {
    resource.configs.push_back({setting, value.empty() ? reset : set,
                                value.empty() ? std::nullopt : std::optional(value)});
  }
  MILLRACE_TRY(client::Connection* const to, cluster.controller());
  MILLRACE_TRY(const auto response, to->call<IncrementalAlterConfigsResponse>(request));
  const std::string doing = "altering topic " + name;
  if (response.responses.size() != 1) return not_one_answer(doing);
  return check(doing, response.responses[0].error_code, response.responses[0].error_message);
}

Result<void> add_partitions(Cluster& cluster, const std::string& name, std::int32_t total) {
  CreatePartitionsRequest request{.timeout_ms = patience_ms};
  request.topics.push_back({.name = name, .count = total, .assignments = std::nullopt});
  MILLRACE_TRY(client::Connection* const to, cluster.controller());
  MILLRACE_TRY(const auto response, to->call<CreatePartitionsResponse>(request));
  const std::string doing = "adding partitions to topic " + name;
  if (response.results.size() != 1) return not_one_answer(doing);
  return check(doing, response.results[0].error_code, response.results[0].error_message);
}

Result<void> delete_topic(Cluster& cluster, const std::string& name) {
  constexpr ApiVersion last_by_name = 5;
  const DeleteTopicsRequest request{.topic_names = {name}, .timeout_ms = patience_ms};
  MILLRACE_TRY(client::Connection* const to, cluster.controller());
  MILLRACE_TRY(const auto response, to->call<DeleteTopicsResponse>(request, last_by_name));
  const std::string doing = "deleting topic " + name;
  if (response.responses.size() != 1) return not_one_answer(doing);
  return check(doing, response.responses[0].error_code, response.responses[0].error_message);
}

}  // namespace millrace::inline v0::cli::remote
