#include <algorithm>
#include <millrace/engine/topic_name.hpp>
#include <set>

#include "server/kafka/admin_handlers.hpp"
#include "server/kafka/operations.hpp"
#include "server/kafka/server_state.hpp"
#include "server/wire_errors.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;
using Answer = DescribeTopicPartitionsResponse::Topic;

std::set<std::string> names_of(const DescribeTopicPartitionsRequest& message,
                               const Request& request) {
  std::set<std::string> names;
  for (const auto& topic : message.topics) names.insert(topic.name);
  if (!names.empty()) return names;
  if (const auto topics = request.state().broker().topics()) {
    for (const auto& topic : *topics) {
      const std::string& name = topic->entry.name;
      if (request.may_topic(Operation::describe, name)) names.insert(name);
    }
  }
  return names;
}

/// Of the partitions [begin, end).
Answer describe(const engine::TopicCore& topic, std::int32_t begin, std::int32_t end,
                std::int32_t node) {
  Answer answer;
  answer.name = topic.entry.name;
  answer.topic_id = parse_uuid(topic.entry.id);
  answer.is_internal = engine::is_internal_topic(topic.entry.name);
  for (std::int32_t id = begin; id < end; ++id) {
    answer.partitions.push_back({.partition_index = id,
                                 .leader_id = node,
                                 .leader_epoch = only_leader_epoch,
                                 .replica_nodes = {node},
                                 .isr_nodes = {node},
                                 .eligible_leader_replicas = std::vector<std::int32_t>(),
                                 .last_known_elr = std::vector<std::int32_t>()});
  }
  return answer;
}

DescribeTopicPartitionsResponse refuse(const DescribeTopicPartitionsRequest& message) {
  DescribeTopicPartitionsResponse response;
  for (const auto& topic : message.topics) {
    response.topics.push_back({.error_code = WireError::invalid_request, .name = topic.name});
  }
  return response;
}

}  // namespace

DescribeTopicPartitionsResponse describe_topic_partitions(
    const DescribeTopicPartitionsRequest& message, const Request& request) {
  constexpr std::int32_t most_partitions = 2000;
  const auto& cursor = message.cursor;
  if (message.response_partition_limit < 1 || (cursor && cursor->partition_index < 0)) {
    return refuse(message);
  }
  ServerState& state = request.state();
  std::int32_t room = std::min(message.response_partition_limit, most_partitions);
  const std::set<std::string> names = names_of(message, request);
  DescribeTopicPartitionsResponse response;
  for (auto at = cursor ? names.lower_bound(cursor->topic_name) : names.begin(); at != names.end();
       ++at) {
    if (!request.may_topic(Operation::describe, *at)) {
      response.topics.push_back({.error_code = WireError::topic_authorization_failed, .name = *at});
      continue;
    }
    const auto topic = state.topic(*at);
    if (!topic) {
      response.topics.push_back({.error_code = to_wire(topic), .name = *at});
      continue;
    }
    const std::int32_t count = (*topic)->entry.partitions;
    const bool goes_on = cursor && *at == cursor->topic_name;
    const std::int32_t begin = goes_on ? std::min(cursor->partition_index, count) : 0;
    const std::int32_t end = begin + std::min(count - begin, room);
    if (room > 0) {
      response.topics.push_back(describe(**topic, begin, end, state.options().node_id));
      response.topics.back().topic_authorized_operations = topic_operations(request, *at);
    }
    room -= end - begin;
    if (end == count) continue;
    response.next_cursor = DescribeTopicPartitionsResponse::Cursor{*at, end};
    break;
  }
  return response;
}

}  // namespace millrace::inline v0::server
