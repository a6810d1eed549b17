#include <fmt/format.h>

#include <algorithm>
#include <millrace/engine/topic_name.hpp>
#include <millrace/server/topics.hpp>

#include "server/kafka/admin_handlers.hpp"
#include "server/kafka/config_resources.hpp"
#include "server/kafka/server_state.hpp"
#include "server/wire_errors.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;
using Growth = CreatePartitionsRequest::Topic;

Refusal growth_refusal(const Error& error) {
  const bool is_count = error.code() == Errc::invalid_argument;
  return {is_count ? WireError::invalid_partitions : to_wire(error.code()), error.message()};
}

std::optional<Refusal> check_assignments(const Growth& wanted, std::int32_t added,
                                         std::int32_t node) {
  if (!wanted.assignments) return std::nullopt;
  if (wanted.assignments->size() != static_cast<std::size_t>(added)) {
    return Refusal{WireError::invalid_replica_assignment,
                   fmt::format("{} partitions are added, but replicas are given of {}", added,
                               wanted.assignments->size())};
  }
  for (const auto& assigned : *wanted.assignments) {
    if (assigned.broker_ids == std::vector<std::int32_t>{node}) continue;
    return Refusal{WireError::invalid_replica_assignment,
                   fmt::format("there is one broker, {}", node)};
  }
  return std::nullopt;
}

std::optional<Refusal> grow(const Growth& wanted, bool validate_only, ServerState& state) {
  const auto topic = state.broker().topic(wanted.name);
  if (!topic) return growth_refusal(topic.error());
  if (engine::is_internal_topic(wanted.name)) {
    return Refusal{
        WireError::invalid_topic_exception,
        fmt::format("where groups and transactions are kept goes by the number of partitions "
                    "of {}, so it stays what it is",
                    wanted.name)};
  }
  const std::int32_t now = (*topic)->entry.partitions;
  if (wanted.count <= now) {
    return Refusal{WireError::invalid_partitions,
                   fmt::format("topic {} has {} partitions; the new number, {}, must be larger",
                               wanted.name, now, wanted.count)};
  }
  const std::int32_t node = state.options().node_id;
  if (auto refused = check_assignments(wanted, wanted.count - now, node)) return refused;
  if (validate_only) return std::nullopt;
  const auto grown = add_partitions(state.broker(), wanted.name, wanted.count);
  if (!grown) return growth_refusal(grown.error());
  return std::nullopt;
}

WireError delete_from(engine::Partition& partition, std::int64_t offset) {
  constexpr std::int64_t all = -1;
  if (engine::is_internal_topic(partition.topic())) return WireError::invalid_topic_exception;
  if (!partition.config().log.cleanup_delete) return WireError::policy_violation;
  if (offset < all) return WireError::offset_out_of_range;
  const Offset begin = offset == all ? partition.visible_end() : Offset{offset};
  return to_wire(partition.log().delete_before(begin));
}

/// Epochs as Kafka counts them, of which there has been one.
void find_epoch_end(const OffsetForLeaderEpochRequest::Partition& from,
                    engine::Partition& partition, OffsetForLeaderEpochResponse::Partition& answer) {
  if (from.current_leader_epoch > only_leader_epoch) {
    answer.error_code = WireError::unknown_leader_epoch;
  } else if (from.leader_epoch == only_leader_epoch) {
    answer.leader_epoch = only_leader_epoch;
    answer.end_offset = partition.written_end().value();
  }
}

ElectLeadersResponse::Partition elect(ServerState& state, const std::string& topic,
                                      std::int32_t id) {
  const auto partition = state.partition(topic, id);
  if (!partition) return {id, to_wire(partition), partition.error().message()};
  return {id, WireError::election_not_needed,
          fmt::format("broker {} leads {}-{} already", state.options().node_id, topic, id)};
}

}  // namespace

CreatePartitionsResponse create_partitions(const CreatePartitionsRequest& message,
                                           const Request& request) {
  CreatePartitionsResponse response;
  for (const Growth& wanted : message.topics) {
    const auto same = std::ranges::count(message.topics, wanted.name, &Growth::name);
    std::optional<Refusal> refused;
    if (!request.may_topic(Operation::alter, wanted.name)) {
      refused = not_authorized(WireError::topic_authorization_failed);
    } else if (same > 1) {
      refused = {WireError::invalid_request, "the request names this topic more than once"};
    } else {
      refused = grow(wanted, message.validate_only, request.state());
    }
    auto& answer = response.results.emplace_back();
    answer.name = wanted.name;
    answer.error_message.reset();
    if (!refused) continue;
    answer.error_code = refused->code;
    answer.error_message = refused->why;
  }
  return response;
}

DeleteRecordsResponse delete_records(const DeleteRecordsRequest& message, const Request& request) {
  DeleteRecordsResponse response;
  for (const auto& topic : message.topics) {
    auto& answers = response.topics.emplace_back();
    answers.name = topic.name;
    const bool may_remove = request.may_topic(Operation::remove, topic.name);
    for (const auto& from : topic.partitions) {
      const auto partition = request.state().partition(topic.name, from.partition_index);
      auto& answer = answers.partitions.emplace_back();
      answer.partition_index = from.partition_index;
      answer.low_watermark = -1;
      answer.error_code = WireError::topic_authorization_failed;
      if (!may_remove) continue;
      answer.error_code = partition ? delete_from(**partition, from.offset) : to_wire(partition);
      if (answer.error_code != WireError::none) continue;
      answer.low_watermark = (*partition)->log_start_offset().value();
    }
  }
  return response;
}

OffsetForLeaderEpochResponse offset_for_leader_epoch(const OffsetForLeaderEpochRequest& message,
                                                     const Request& request) {
  OffsetForLeaderEpochResponse response;
  for (const auto& topic : message.topics) {
    auto& answers = response.topics.emplace_back();
    answers.topic = topic.topic;
    const bool may_look = request.may_topic(Operation::describe, topic.topic);
    for (const auto& from : topic.partitions) {
      auto& answer = answers.partitions.emplace_back();
      answer.partition = from.partition;
      answer.error_code = WireError::topic_authorization_failed;
      if (!may_look) continue;
      const auto partition = request.state().partition(topic.topic, from.partition);
      answer.error_code = to_wire(partition);
      if (partition) find_epoch_end(from, **partition, answer);
    }
  }
  return response;
}

ElectLeadersResponse elect_leaders(const ElectLeadersRequest& message, const Request& request) {
  constexpr std::int8_t last_type = 1;
  ElectLeadersResponse response;
  const bool is_known = message.election_type >= 0 && message.election_type <= last_type;
  if (!is_known) response.error_code = WireError::invalid_request;
  const bool may_elect = request.may_cluster(Operation::alter);
  if (!may_elect) response.error_code = WireError::cluster_authorization_failed;
  // Of all partitions those are named that get another leader: none.
  if (!is_known || !message.topic_partitions) return response;
  for (const auto& topic : *message.topic_partitions) {
    auto& answers = response.replica_election_results.emplace_back();
    answers.topic = topic.topic;
    for (const std::int32_t id : topic.partitions) {
      answers.partition_result.push_back(
          may_elect ? elect(request.state(), topic.topic, id)
                    : ElectLeadersResponse::Partition{id, WireError::cluster_authorization_failed,
                                                      "no rule allows it"});
    }
  }
  return response;
}

}  // namespace millrace::inline v0::server
