#include <fmt/format.h>

#include <algorithm>
#include <millrace/engine/topic_name.hpp>
#include <millrace/server/topics.hpp>

#include "server/kafka/config_resources.hpp"
#include "server/kafka/handlers.hpp"
#include "server/kafka/server_state.hpp"
#include "server/wire_errors.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;
using NewTopic = CreateTopicsRequest::Topic;

struct Shape {
  std::int32_t partitions = 0;
  engine::ConfigMap config = {};
};

Shape shape_of(const NewTopic& topic, const ServerState& state) {
  Shape shape{.partitions = topic.num_partitions};
  if (!topic.assignments.empty()) {
    shape.partitions = static_cast<std::int32_t>(topic.assignments.size());
  } else if (topic.num_partitions == -1) {
    shape.partitions = state.options().default_partitions;
  }
  shape.config = state.options().topic_defaults;
  for (const auto& config : topic.configs) {
    if (config.value) shape.config.insert_or_assign(config.name, *config.value);
  }
  return shape;
}

std::optional<Refusal> check_shape(const NewTopic& topic, const ServerState& state) {
  const bool is_assigned = !topic.assignments.empty();
  if (is_assigned && (topic.num_partitions != -1 || topic.replication_factor != -1)) {
    return Refusal{WireError::invalid_request,
                   "give the replicas of each partition, or their numbers, not both"};
  }
  if (!is_assigned && topic.num_partitions < 1 && topic.num_partitions != -1) {
    return Refusal{WireError::invalid_partitions,
                   fmt::format("a topic has at least one partition, not {}", topic.num_partitions)};
  }
  if (!is_assigned && topic.replication_factor != 1 && topic.replication_factor != -1) {
    return Refusal{WireError::invalid_replication_factor,
                   fmt::format("there is one broker, so the replication factor is 1, not {}",
                               topic.replication_factor)};
  }
  for (const auto& assigned : topic.assignments) {
    if (assigned.broker_ids == std::vector<std::int32_t>{state.options().node_id}) continue;
    return Refusal{WireError::invalid_replica_assignment,
                   fmt::format("there is one broker, {}", state.options().node_id)};
  }
  return std::nullopt;
}

void add_configs(const engine::TopicCore& topic, CreateTopicsResponse::Topic& answer) {
  for (const auto& entry : engine::describe_topic_config(topic.entry.config)) {
    const auto source = entry.is_default ? ConfigSource::by_default : ConfigSource::of_topic;
    answer.configs->push_back({.name = entry.name,
                               .value = entry.value,
                               .config_source = static_cast<std::int8_t>(source)});
  }
}

std::optional<Refusal> create(const NewTopic& topic, bool validate_only, const Request& request,
                              CreateTopicsResponse::Topic& answer) {
  ServerState& state = request.state();
  if (auto refused = check_shape(topic, state)) return refused;
  if (const auto valid = engine::check_topic_name(topic.name); !valid) {
    return refusal_of(valid.error());
  }
  const Shape shape = shape_of(topic, state);
  if (const auto parsed = engine::parse_topic_config(shape.config); !parsed) {
    return refusal_of(parsed.error());
  }
  answer.num_partitions = shape.partitions;
  answer.replication_factor = 1;
  if (validate_only) {
    if (!state.broker().topic(topic.name)) return std::nullopt;
    return Refusal{WireError::topic_already_exists,
                   fmt::format("the topic '{}' exists", topic.name)};
  }
  const auto made = create_topic(state.broker(), topic.name, shape.partitions, shape.config);
  if (!made) return refusal_of(made.error());
  answer.topic_id = parse_uuid((*made)->entry.id);
  if (request.may_topic(Operation::describe_configs, topic.name)) {
    add_configs(**made, answer);
  } else {
    answer.num_partitions = -1;
    answer.replication_factor = -1;
    answer.topic_config_error_code = WireError::topic_authorization_failed;
  }
  return std::nullopt;
}

}  // namespace

CreateTopicsResponse create_topics(const CreateTopicsRequest& message, const Request& request) {
  CreateTopicsResponse response;
  for (const auto& topic : message.topics) {
    auto& answer = response.topics.emplace_back();
    answer.name = topic.name;
    const auto same = std::count_if(message.topics.begin(), message.topics.end(),
                                    [&](const auto& other) { return other.name == topic.name; });
    if (same > 1) {
      answer.error_code = WireError::invalid_request;
      answer.error_message = "the request names this topic more than once";
      continue;
    }
    const bool may_create =
        request.may_cluster(Operation::create) || request.may_topic(Operation::create, topic.name);
    const auto refused = may_create ? create(topic, message.validate_only, request, answer)
                                    : not_authorized(WireError::topic_authorization_failed);
    answer.error_message.reset();
    if (!refused) continue;
    answer.error_code = refused->code;
    answer.error_message = refused->why;
  }
  return response;
}

DeleteTopicsResponse delete_topics(const DeleteTopicsRequest& message, const Request& request) {
  DeleteTopicsResponse response;
  ServerState& state = request.state();
  const auto remove = [&](const std::string& name, DeleteTopicsResponse::Topic& answer) {
    answer.name = name;
    if (!request.may_topic(Operation::remove, name)) {
      answer.error_code = WireError::topic_authorization_failed;
      return;
    }
    const auto done = delete_topic(state.broker(), name);
    answer.error_code = to_wire(done);
    if (!done) answer.error_message = done.error().message();
  };
  for (const auto& name : message.topic_names) remove(name, response.responses.emplace_back());
  for (const auto& topic : message.topics) {
    auto& answer = response.responses.emplace_back();
    answer.topic_id = topic.topic_id;
    answer.name = topic.name;
    if (topic.name) {
      remove(*topic.name, answer);
      continue;
    }
    const auto found = state.topic_of(topic.topic_id);
    if (found && request.may_topic(Operation::describe, (*found)->entry.name))
      remove((*found)->entry.name, answer);
    else
      answer.error_code = WireError::unknown_topic_id;
  }
  return response;
}

}  // namespace millrace::inline v0::server
