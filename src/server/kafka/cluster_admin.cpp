#include <algorithm>
#include <filesystem>

#include "server/kafka/admin_handlers.hpp"
#include "server/kafka/handlers.hpp"
#include "server/kafka/operations.hpp"
#include "server/kafka/server_state.hpp"
#include "server/wire_errors.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;

enum EndpointType : std::int8_t { brokers = 1, controllers = 2 };

DescribeLogDirsResponse::Topic sizes_of(const engine::TopicCore& topic) {
  DescribeLogDirsResponse::Topic answer;
  answer.name = topic.entry.name;
  for (const auto& partition : topic.partitions) {
    answer.partitions.push_back(
        {.partition_index = partition->id(),
         .partition_size = static_cast<std::int64_t>(partition->log().size_bytes())});
  }
  return answer;
}

/// What is not there has no size.
std::vector<DescribeLogDirsResponse::Topic> sizes_of(
    const std::vector<DescribeLogDirsRequest::Topic>& wanted, ServerState& state) {
  std::vector<DescribeLogDirsResponse::Topic> answers;
  for (const auto& one : wanted) {
    const auto topic = state.broker().topic(one.topic);
    if (!topic) continue;
    auto& answer = answers.emplace_back(sizes_of(**topic));
    std::erase_if(answer.partitions, [&](const auto& partition) {
      return std::ranges::find(one.partitions, partition.partition_index) == one.partitions.end();
    });
  }
  return answers;
}

}  // namespace

DescribeClusterResponse describe_cluster(const DescribeClusterRequest& message,
                                         const Request& request) {
  DescribeClusterResponse response;
  response.endpoint_type = message.endpoint_type;
  if (message.endpoint_type != brokers) {
    response.error_code = message.endpoint_type == controllers
                              ? WireError::mismatched_endpoint_type
                              : WireError::unsupported_endpoint_type;
    response.error_message = "this is a broker; ask it for the endpoints of brokers (1)";
    return response;
  }
  const NodeEndpoint here = endpoint_of(request);
  response.cluster_id = request.state().cluster_id();
  response.controller_id = here.node_id;
  response.brokers.push_back({.broker_id = here.node_id, .host = here.host, .port = here.port});
  if (message.include_cluster_authorized_operations) {
    response.cluster_authorized_operations = cluster_operations(request);
  }
  return response;
}

DescribeLogDirsResponse describe_log_dirs(const DescribeLogDirsRequest& message,
                                          const Request& request) {
  ServerState& state = request.state();
  DescribeLogDirsResponse response;
  if (!request.may_cluster(Operation::describe)) {
    response.error_code = WireError::cluster_authorization_failed;
    return response;
  }
  auto& directory = response.results.emplace_back();
  directory.log_dir = state.log_dir();
  std::error_code error;
  if (const auto space = std::filesystem::space(directory.log_dir, error); !error) {
    directory.total_bytes = static_cast<std::int64_t>(space.capacity);
    directory.usable_bytes = static_cast<std::int64_t>(space.available);
  }
  if (message.topics) {
    directory.topics = sizes_of(*message.topics, state);
  } else if (const auto topics = state.broker().topics()) {
    for (const auto& topic : *topics) directory.topics.push_back(sizes_of(*topic));
  } else {
    directory.error_code = to_wire(topics);
  }
  return response;
}

}  // namespace millrace::inline v0::server
