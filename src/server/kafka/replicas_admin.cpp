#include <fmt/format.h>

#include "server/kafka/admin_handlers.hpp"
#include "server/kafka/handlers.hpp"
#include "server/kafka/server_state.hpp"
#include "server/wire_errors.hpp"

// Where there is one broker with one directory, replicas have nowhere to go.

namespace millrace::inline v0::server {
namespace {

using namespace protocol;

struct Refusal {
  WireError error = WireError::none;
  std::optional<std::string> text = {};
};

Refusal judge(const std::optional<std::vector<std::int32_t>>& replicas, std::int32_t here) {
  if (!replicas) return {WireError::no_reassignment_in_progress};
  if (replicas->empty()) {
    return {WireError::invalid_replica_assignment, "the list of replicas is empty"};
  }
  for (const std::int32_t replica : *replicas) {
    if (replica == here) continue;
    return {WireError::invalid_replica_assignment,
            fmt::format("there is no broker {}; the only one is {}", replica, here)};
  }
  if (replicas->size() == 1) return {};
  return {WireError::invalid_replica_assignment,
          fmt::format("the list of replicas has the broker {} more than once", here)};
}

}  // namespace

AlterReplicaLogDirsResponse alter_replica_log_dirs(const AlterReplicaLogDirsRequest& message,
                                                   const Request& request) {
  AlterReplicaLogDirsResponse response;
  const std::string only_dir = request.state().log_dir();
  const bool is_allowed = request.may_cluster(Operation::alter);
  for (const auto& directory : message.dirs) {
    for (const auto& topic : directory.topics) {
      auto& answers = response.results.emplace_back();
      answers.topic_name = topic.name;
      for (const std::int32_t partition : topic.partitions) {
        const WireError error = !is_allowed ? WireError::cluster_authorization_failed
                                : directory.path == only_dir
                                    ? to_wire(request.state().partition(topic.name, partition))
                                    : WireError::log_dir_not_found;
        answers.partitions.push_back({partition, error});
      }
    }
  }
  return response;
}

AlterPartitionReassignmentsResponse alter_partition_reassignments(
    const AlterPartitionReassignmentsRequest& message, const Request& request) {
  AlterPartitionReassignmentsResponse response;
  response.error_message.reset();
  if (!request.may_cluster(Operation::alter)) {
    response.error_code = WireError::cluster_authorization_failed;
    return response;
  }
  const std::int32_t here = endpoint_of(request).node_id;
  for (const auto& topic : message.topics) {
    auto& answers = response.responses.emplace_back();
    answers.name = topic.name;
    for (const auto& wanted : topic.partitions) {
      const auto partition = request.state().partition(topic.name, wanted.partition_index);
      const auto [error, text] = partition
                                     ? judge(wanted.replicas, here)
                                     : Refusal{to_wire(partition), partition.error().message()};
      answers.partitions.push_back({wanted.partition_index, error, text});
    }
  }
  return response;
}

ListPartitionReassignmentsResponse list_partition_reassignments(
    const ListPartitionReassignmentsRequest&, const Request& request) {
  ListPartitionReassignmentsResponse response;
  response.error_message.reset();
  if (!request.may_cluster(Operation::describe)) {
    response.error_code = WireError::cluster_authorization_failed;
  }
  return response;
}

}  // namespace millrace::inline v0::server
