#include <fmt/format.h>

#include <algorithm>
#include <millrace/engine/topic_name.hpp>
#include <millrace/server/topics.hpp>
#include <set>

#include "server/kafka/admin_handlers.hpp"
#include "server/kafka/config_resources.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;
using Replacement = AlterConfigsRequest::Resource;
using Increment = IncrementalAlterConfigsRequest::Resource;
using Refused = std::optional<Refusal>;

enum class Change : std::int8_t { set = 0, reset = 1, append = 2, subtract = 3 };

Refusal invalid_request(std::string why) {
  return {WireError::invalid_request, std::move(why)};
}

Refusal invalid_config(std::string why) {
  return {WireError::invalid_config, std::move(why)};
}

template <typename Configs>
Refused check_names(const Configs& configs) {
  std::set<std::string_view> names;
  for (const auto& config : configs) {
    if (names.insert(config.name).second) continue;
    return invalid_request(fmt::format("the request names the setting {} twice", config.name));
  }
  return std::nullopt;
}

Refused check_value(const std::string& name, const std::optional<std::string>& value) {
  if (!value) return invalid_request(fmt::format("the setting {} has a null value", name));
  if (value->empty()) return invalid_config(fmt::format("the setting {} has no value", name));
  return std::nullopt;
}

/// What a request changes: a value, or an empty one for the default.
Refused collect(const Replacement& resource, const engine::TopicCore& topic,
                engine::ConfigMap& changes) {
  for (const auto& [name, value] : topic.entry.config) changes.emplace(name, "");
  for (const auto& config : resource.configs) {
    if (auto refused = check_value(config.name, config.value)) return refused;
    changes.insert_or_assign(config.name, *config.value);
  }
  return std::nullopt;
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    words.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return words;
}

std::string current_value(const engine::TopicCore& topic, std::string_view name) {
  for (const auto& entry : engine::describe_topic_config(topic.entry.config)) {
    if (entry.name == name) return entry.value;
  }
  return {};
}

Refused change_list(const Increment& resource, const IncrementalAlterConfigsRequest::Config& config,
                    const engine::TopicCore& topic, engine::ConfigMap& changes) {
  if (find_topic_setting(config.name).type != ConfigType::list) {
    return invalid_config(fmt::format("the setting {} is not a list; set it", config.name));
  }
  std::vector<std::string> words = split(current_value(topic, config.name));
  const bool appends = Change{config.config_operation} == Change::append;
  for (const std::string& word : split(*config.value)) {
    std::erase(words, word);
    if (appends) words.push_back(word);
  }
  if (words.empty()) {
    return invalid_config(fmt::format("nothing would be left of {} of {}; set it instead",
                                      config.name, resource.resource_name));
  }
  changes.insert_or_assign(config.name, fmt::format("{}", fmt::join(words, ",")));
  return std::nullopt;
}

Refused collect(const Increment& resource, const engine::TopicCore& topic,
                engine::ConfigMap& changes) {
  for (const auto& config : resource.configs) {
    const Change change{config.config_operation};
    if (change == Change::reset) {
      changes.emplace(config.name, "");
      continue;
    }
    if (auto refused = check_value(config.name, config.value)) return refused;
    switch (change) {
      case Change::set:
        changes.emplace(config.name, *config.value);
        continue;
      case Change::append:
      case Change::subtract:
        if (auto refused = change_list(resource, config, topic, changes)) return refused;
        continue;
      case Change::reset:
        break;
    }
    return invalid_request(fmt::format(
        "{} is none of set (0), delete (1), append (2) and subtract (3)", config.config_operation));
  }
  return std::nullopt;
}

/// Whether anything would be other than it is where nothing has been changed before.
bool is_change(const Replacement& resource) {
  return !resource.configs.empty();
}
bool is_change(const Increment& resource) {
  return std::ranges::any_of(resource.configs, [](const auto& config) {
    return Change{config.config_operation} != Change::reset;
  });
}

/// As altering it would, but for what only the disk can say.
Refused check_changes(const engine::TopicCore& topic, const engine::ConfigMap& changes) {
  engine::ConfigMap settings = engine::usable_settings(topic.entry.config);
  engine::change_settings(settings, changes);
  const auto parsed = engine::parse_topic_config(settings);
  if (!parsed) return refusal_of(parsed.error());
  for (const auto& partition : topic.partitions) {
    const bool is_empty = partition->log_start_offset() == partition->written_end();
    if (is_empty || partition->delays() == parsed->log.delayed_delivery) continue;
    return invalid_config(fmt::format("{} of {} cannot change while it has records",
                                      engine::delayed_delivery_setting, topic.entry.name));
  }
  return std::nullopt;
}

template <typename Resource>
Refused alter(const Resource& resource, bool validate_only, const Request& request) {
  ServerState& state = request.state();
  if (auto refused = check_names(resource.configs)) return refused;
  const std::string& name = resource.resource_name;
  const ConfigResource type{resource.resource_type};
  if (auto refused = check_access(request, Operation::alter_configs, type, name)) return refused;
  switch (type) {
    case ConfigResource::topic:
      break;
    case ConfigResource::broker:
      if (auto refused = check_broker_name(name, state)) return refused;
      if (!is_change(resource)) return std::nullopt;
      return invalid_request(
          "the settings of a broker are given when it is started, and hold "
          "until it ends");
    default:
      return unknown_resource(resource.resource_type);
  }
  const auto topic = state.topic(name);
  if (!topic) return refusal_of(topic.error());
  engine::ConfigMap changes;
  if (auto refused = collect(resource, **topic, changes)) return refused;
  if (auto refused = check_changes(**topic, changes)) return refused;
  if (validate_only) return std::nullopt;
  const auto altered = alter_topic(state.broker(), name, changes);
  if (!altered) return refusal_of(altered.error());
  return std::nullopt;
}

template <typename Response, typename Message>
Response alter_all(const Message& message, const Request& request) {
  Response response;
  for (const auto& resource : message.resources) {
    auto& answer = response.responses.emplace_back();
    answer.resource_type = resource.resource_type;
    answer.resource_name = resource.resource_name;
    answer.error_message.reset();
    const auto same = std::ranges::count_if(message.resources, [&](const auto& other) {
      return other.resource_type == resource.resource_type &&
             other.resource_name == resource.resource_name;
    });
    const Refused refused = same > 1
                                ? invalid_request("the request names this resource more than once")
                                : alter(resource, message.validate_only, request);
    if (!refused) continue;
    answer.error_code = refused->code;
    answer.error_message = refused->why;
  }
  return response;
}

}  // namespace

AlterConfigsResponse alter_configs(const AlterConfigsRequest& message, const Request& request) {
  return alter_all<AlterConfigsResponse>(message, request);
}

IncrementalAlterConfigsResponse incremental_alter_configs(
    const IncrementalAlterConfigsRequest& message, const Request& request) {
  return alter_all<IncrementalAlterConfigsResponse>(message, request);
}

}  // namespace millrace::inline v0::server
