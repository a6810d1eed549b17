#include <fmt/format.h>

#include <algorithm>
#include <millrace/engine/topic_name.hpp>

#include "server/kafka/admin_handlers.hpp"
#include "server/kafka/config_resources.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;
using Config = DescribeConfigsResponse::Config;
using Configs = std::vector<Config>;

/// A setting of a broker and the value that it has if nobody gives it one.
struct BrokerSetting {
  const char* name;
  ConfigType type;
  std::string value;
  std::string fallback;
  const char* help;
};

std::vector<BrokerSetting> broker_settings(ServerState& state) {
  using enum ConfigType;
  const KafkaServerOptions& options = state.options();
  const KafkaServerOptions usual;
  const auto number = [](auto value) { return fmt::format("{}", value); };
  const auto idle = [](const KafkaServerOptions& of) {
    return fmt::format("{}", of.listener.idle_timeout.count());
  };
  return {
      {"auto.create.topics.enable", boolean, number(options.auto_create_topics),
       number(usual.auto_create_topics), "make a topic when a client first asks for it"},
      {"broker.id", int32, number(options.node_id), "-1", "the number of this broker"},
      {"connections.max.idle.ms", int64, idle(options), idle(usual),
       "close connections on which nothing moves for so long"},
      {"default.replication.factor", int32, "1", "1", "replicas of a new topic"},
      {"fetch.max.bytes", int32, number(options.most_fetch_bytes), number(usual.most_fetch_bytes),
       "largest answer to a fetch"},
      {"log.dirs", string, state.broker().path(), "", "the data directory"},
      {"max.connections", int32, number(options.listener.most_connections),
       number(usual.listener.most_connections), "close connections above so many"},
      {"node.id", int32, number(options.node_id), "-1", "the number of this broker"},
      {"num.io.threads", int32, number(options.worker_threads), number(usual.worker_threads),
       "threads for what waits for a disk"},
      {"num.network.threads", int32, number(options.listener.threads),
       number(usual.listener.threads), "threads for connections"},
      {"num.partitions", int32, number(options.default_partitions),
       number(usual.default_partitions), "partitions of a new topic"},
      {"queued.max.request.bytes", int64, number(options.listener.byte_budget),
       number(usual.listener.byte_budget), "bytes that requests under way may hold together"},
      {"socket.request.max.bytes", int32, number(options.listener.most_frame_bytes),
       number(usual.listener.most_frame_bytes), "largest request"},
  };
}

/// Answers for one resource.
class ConfigDescriber {
 public:
  ConfigDescriber(const DescribeConfigsRequest& message,
                  const DescribeConfigsRequest::Resource& resource)
      : message_(message), resource_(resource) {}

  Configs of_topic(const engine::TopicCore& topic) const {
    const auto usual = engine::describe_topic_config({});
    Configs configs;
    for (const auto& entry : engine::describe_topic_config(topic.entry.config)) {
      if (!is_wanted(entry.name)) continue;
      const TopicSetting setting = find_topic_setting(entry.name);
      const auto fallback = std::ranges::find(usual, entry.name, &engine::ConfigEntry::name);
      Config config;
      config.name = entry.name;
      config.value = entry.value;
      config.config_type = static_cast<std::int8_t>(setting.type);
      set_source(config, entry.is_default ? ConfigSource::by_default : ConfigSource::of_topic);
      add_synonym(config, std::string(setting.broker_name), fallback->value);
      config.documentation = help(entry.help);
      configs.push_back(std::move(config));
    }
    return configs;
  }

  Configs of_broker(ServerState& state) const {
    Configs configs;
    // What holds for all brokers is what can be changed while they run; nothing can.
    if (resource_.resource_name.empty()) return configs;
    for (const BrokerSetting& setting : broker_settings(state)) {
      if (!is_wanted(setting.name)) continue;
      Config config;
      config.name = setting.name;
      config.value = setting.value;
      config.read_only = true;
      config.config_type = static_cast<std::int8_t>(setting.type);
      const bool is_usual = setting.value == setting.fallback;
      set_source(config, is_usual ? ConfigSource::by_default : ConfigSource::of_start);
      add_synonym(config, setting.name, setting.fallback);
      config.documentation = help(setting.help);
      configs.push_back(std::move(config));
    }
    return configs;
  }

 private:
  bool is_wanted(std::string_view name) const {
    const auto& keys = resource_.configuration_keys;
    return !keys || keys->empty() || std::ranges::find(*keys, name) != keys->end();
  }
  std::optional<std::string> help(std::string_view text) const {
    if (!message_.include_documentation) return std::nullopt;
    return std::string(text);
  }
  void set_source(Config& config, ConfigSource source) const {
    config.config_source = static_cast<std::int8_t>(source);
    config.is_default = source == ConfigSource::by_default;
    if (!message_.include_synonyms || config.is_default) return;
    config.synonyms.push_back({config.name, config.value, config.config_source});
  }
  void add_synonym(Config& config, const std::string& name, const std::string& fallback) const {
    if (!message_.include_synonyms) return;
    config.synonyms.push_back({name, fallback, static_cast<std::int8_t>(ConfigSource::by_default)});
  }

  const DescribeConfigsRequest& message_;
  const DescribeConfigsRequest::Resource& resource_;
};

std::optional<Refusal> describe(const ConfigDescriber& describer,
                                const DescribeConfigsRequest::Resource& resource,
                                const Request& request, Configs& configs) {
  ServerState& state = request.state();
  const std::string& name = resource.resource_name;
  const ConfigResource type{resource.resource_type};
  if (auto refused = check_access(request, Operation::describe_configs, type, name)) {
    return refused;
  }
  switch (type) {
    case ConfigResource::topic: {
      const auto topic = state.topic(name);
      if (!topic) return refusal_of(topic.error());
      configs = describer.of_topic(**topic);
      return std::nullopt;
    }
    case ConfigResource::broker:
      if (auto refused = check_broker_name(name, state)) return refused;
      configs = describer.of_broker(state);
      return std::nullopt;
  }
  return unknown_resource(resource.resource_type);
}

}  // namespace

DescribeConfigsResponse describe_configs(const DescribeConfigsRequest& message,
                                         const Request& request) {
  DescribeConfigsResponse response;
  for (const auto& resource : message.resources) {
    auto& answer = response.results.emplace_back();
    answer.resource_type = resource.resource_type;
    answer.resource_name = resource.resource_name;
    answer.error_message.reset();
    const ConfigDescriber describer(message, resource);
    const auto refused = describe(describer, resource, request, answer.configs);
    if (!refused) continue;
    answer.error_code = refused->code;
    answer.error_message = refused->why;
  }
  return response;
}

}  // namespace millrace::inline v0::server
