#include <fmt/format.h>

#include <algorithm>
#include <millrace/engine/topic_name.hpp>
#include <millrace/server/topics.hpp>

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

Error refused(Errc code, const std::string& why) {
  return Error(code, why);
}

Result<Shape> shape_of(const NewTopic& topic, const ServerState& state) {
  Shape shape;
  if (!topic.assignments.empty())
    shape.partitions = static_cast<std::int32_t>(topic.assignments.size());
  else if (topic.num_partitions == -1)
    shape.partitions = state.options().default_partitions;
  else
    shape.partitions = topic.num_partitions;
  for (const auto& config : topic.configs) {
    if (config.value) shape.config.insert_or_assign(config.name, *config.value);
  }
  if (auto valid = engine::check_topic_name(topic.name); !valid) return valid.error();
  return shape;
}

WireError shape_error(const NewTopic& topic, const ServerState& state, std::string& why) {
  const bool is_assigned = !topic.assignments.empty();
  if (is_assigned && (topic.num_partitions != -1 || topic.replication_factor != -1)) {
    why = "give the replicas of each partition, or their numbers, not both";
    return WireError::invalid_request;
  }
  if (!is_assigned && topic.num_partitions < 1 && topic.num_partitions != -1) {
    why = fmt::format("a topic has at least one partition, not {}", topic.num_partitions);
    return WireError::invalid_partitions;
  }
  if (!is_assigned && topic.replication_factor != 1 && topic.replication_factor != -1) {
    why = fmt::format("there is one broker, so the replication factor is 1, not {}",
                      topic.replication_factor);
    return WireError::invalid_replication_factor;
  }
  for (const auto& assigned : topic.assignments) {
    if (assigned.broker_ids == std::vector<std::int32_t>{state.options().node_id}) continue;
    why = fmt::format("there is one broker, {}", state.options().node_id);
    return WireError::invalid_replica_assignment;
  }
  return WireError::none;
}

void create(const NewTopic& topic, bool validate_only, ServerState& state,
            CreateTopicsResponse::Topic& answer) {
  std::string why;
  answer.error_message.reset();
  answer.error_code = shape_error(topic, state, why);
  if (answer.error_code != WireError::none) {
    answer.error_message = why;
    return;
  }
  const auto fail = [&](const Error& error) {
    answer.error_code =
        error.code() == Errc::invalid_argument ? WireError::invalid_config : to_wire(error.code());
    answer.error_message = error.message();
  };
  const auto shape = shape_of(topic, state);
  if (!shape) return fail(shape.error());
  if (const auto parsed = engine::parse_topic_config(shape->config); !parsed) {
    return fail(parsed.error());
  }
  answer.num_partitions = shape->partitions;
  answer.replication_factor = 1;
  if (validate_only) {
    if (state.broker().topic(topic.name)) {
      fail(refused(Errc::topic_exists, fmt::format("the topic '{}' exists", topic.name)));
    }
    return;
  }
  const auto made = create_topic(state.broker(), topic.name, shape->partitions, shape->config);
  if (!made) return fail(made.error());
  answer.topic_id = parse_uuid((*made)->entry.id);
  for (const auto& entry : engine::describe_topic_config((*made)->entry.config)) {
    constexpr std::int8_t of_topic = 1;
    constexpr std::int8_t by_default = 5;
    answer.configs->push_back({.name = entry.name,
                               .value = entry.value,
                               .config_source = entry.is_default ? by_default : of_topic});
  }
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
    create(topic, message.validate_only, request.state(), answer);
  }
  return response;
}

DeleteTopicsResponse delete_topics(const DeleteTopicsRequest& message, const Request& request) {
  DeleteTopicsResponse response;
  ServerState& state = request.state();
  const auto remove = [&](const std::string& name, DeleteTopicsResponse::Topic& answer) {
    answer.name = name;
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
    if (found)
      remove((*found)->entry.name, answer);
    else
      answer.error_code = WireError::unknown_topic_id;
  }
  return response;
}

}  // namespace millrace::inline v0::server
