#include <algorithm>
#include <array>
#include <millrace/coordinator/group_records.hpp>

#include "server/kafka/server_state.hpp"
#include "server/kafka/transaction_handlers.hpp"
#include "server/wire_errors.hpp"

// What tools ask about transactions.

namespace millrace::inline v0::server {
namespace {

using namespace protocol;
using coordinator::Transaction;
using coordinator::TransactionState;

bool is_state(const std::string& name) {
  using enum TransactionState;
  constexpr std::array states = {
      empty,           ongoing,        prepare_commit, prepare_abort,
      complete_commit, complete_abort, dead,           prepare_epoch_fence};
  return std::any_of(states.begin(), states.end(),
                     [&](TransactionState state) { return to_string(state) == name; });
}

template <typename T, typename Of>
bool has(const std::vector<T>& all, const Of& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

/// Filters of which nothing is known do not count.
class Wanted {
 public:
  Wanted(const ListTransactionsRequest& message, Timestamp now,
         std::vector<std::string>& unknown_states)
      : message_(message), now_(now) {
    for (const std::string& state : message.state_filters) {
      (is_state(state) ? states_ : unknown_states).push_back(state);
    }
  }
  bool operator()(const Transaction& one) const {
    if (one.producer.id < 0 || one.state == TransactionState::dead) return false;
    if (!states_.empty() && !has(states_, to_string(one.state))) return false;
    const auto& ids = message_.producer_id_filters;
    if (!ids.empty() && !has(ids, one.producer.id)) return false;
    const std::int64_t duration = now_.milliseconds() - one.started.milliseconds();
    return message_.duration_filter < 0 || duration > message_.duration_filter;
  }

 private:
  const ListTransactionsRequest& message_;
  const Timestamp now_;
  std::vector<std::string> states_;
};

DescribeTransactionsResponse::Transaction describe(const std::string& id, const Transaction* known,
                                                   const Request& request) {
  DescribeTransactionsResponse::Transaction answer;
  answer.transactional_id = id;
  if (!request.may_transactional_id(Operation::describe, id)) {
    answer.error_code = WireError::transactional_id_authorization_failed;
    return answer;
  }
  if (known == nullptr || known->producer.id < 0) {
    answer.error_code =
        id.empty() ? WireError::invalid_request : WireError::transactional_id_not_found;
    return answer;
  }
  answer.transaction_state = to_string(known->state);
  answer.transaction_timeout_ms = static_cast<std::int32_t>(known->timeout.count());
  answer.transaction_start_time_ms = known->started.milliseconds();
  answer.producer_id = known->producer.id;
  answer.producer_epoch = known->producer.epoch;
  for (const auto& place : known->partitions) {
    if (!request.may_topic(Operation::describe, place.topic)) continue;
    if (answer.topics.empty() || answer.topics.back().topic != place.topic) {
      answer.topics.push_back({place.topic, {}});
    }
    answer.topics.back().partitions.push_back(place.partition);
  }
  return answer;
}

DescribeProducersResponse::Producer describe(const storage::ProducerSummary& known) {
  return {.producer_id = known.id,
          .producer_epoch = known.epoch,
          .last_sequence = known.last_sequence,
          .last_timestamp = known.timestamp.milliseconds(),
          .coordinator_epoch = known.coordinator_epoch,
          .current_txn_start_offset = known.transaction.value_or(Offset{-1}).value()};
}

/// Durable when it returns.
Result<void> write_marker(ServerState& state, const coordinator::TopicPartition& place,
                          const coordinator::ProducerEpoch& producer, bool is_commit) {
  const auto partition = state.partition(place.topic, place.partition);
  if (!partition) return partition.error();
  if (place.topic == coordinator::offsets_topic) {
    const auto groups = state.groups();
    if (!groups) return groups.error();
    return (*groups)->end_transaction(place.partition, producer, is_commit);
  }
  if (auto marked = append_marker(**partition, producer, is_commit); !marked) {
    return marked.error();
  }
  return (*partition)->flush();
}

}  // namespace

DescribeProducersResponse describe_producers(const DescribeProducersRequest& message,
                                             const Request& request) {
  DescribeProducersResponse response;
  for (const auto& topic : message.topics) {
    auto& answers = response.topics.emplace_back();
    answers.name = topic.name;
    for (const std::int32_t index : topic.partition_indexes) {
      auto& answer = answers.partitions.emplace_back();
      answer.partition_index = index;
      if (!request.may_topic(Operation::read, topic.name)) {
        answer.error_code = WireError::topic_authorization_failed;
        continue;
      }
      const auto partition = request.state().partition(topic.name, index);
      answer.error_code = to_wire(partition);
      if (!partition) {
        answer.error_message = partition.error().message();
        continue;
      }
      for (const auto& known : (*partition)->log().producers()) {
        answer.active_producers.push_back(describe(known));
      }
    }
  }
  return response;
}

ListTransactionsResponse list_transactions(const ListTransactionsRequest& message,
                                           const Request& request) {
  ListTransactionsResponse response;
  const Wanted is_wanted(message, request.state().broker().clock().now(),
                         response.unknown_state_filters);
  const auto transactions = request.state().transactions();
  if (!transactions) {
    response.error_code = WireError::coordinator_not_available;
    return response;
  }
  (*transactions)->look([&](const coordinator::TransactionCoordinator& all) {
    for (const auto& [id, known] : all.transactions()) {
      if (!is_wanted(*known) || !request.may_transactional_id(Operation::describe, id)) continue;
      response.transaction_states.push_back(
          {id, known->producer.id, std::string(to_string(known->state))});
    }
  });
  return response;
}

DescribeTransactionsResponse describe_transactions(const DescribeTransactionsRequest& message,
                                                   const Request& request) {
  DescribeTransactionsResponse response;
  const auto transactions = request.state().transactions();
  if (!transactions) {
    for (const std::string& id : message.transactional_ids) {
      response.transaction_states.push_back(
          {.error_code = WireError::coordinator_not_available, .transactional_id = id});
    }
    return response;
  }
  (*transactions)->look([&](const coordinator::TransactionCoordinator& all) {
    for (const std::string& id : message.transactional_ids) {
      response.transaction_states.push_back(describe(id, all.transaction(id), request));
    }
  });
  return response;
}

WriteTxnMarkersResponse write_txn_markers(const WriteTxnMarkersRequest& message,
                                          const Request& request) {
  WriteTxnMarkersResponse response;
  const bool may_write =
      request.may_cluster(Operation::cluster_action) || request.may_cluster(Operation::alter);
  for (const auto& marker : message.markers) {
    auto& of_marker = response.markers.emplace_back();
    of_marker.producer_id = marker.producer_id;
    for (const auto& topic : marker.topics) {
      auto& answers = of_marker.topics.emplace_back();
      answers.name = topic.name;
      for (const std::int32_t partition : topic.partition_indexes) {
        if (!may_write) {
          answers.partitions.push_back({partition, WireError::cluster_authorization_failed});
          continue;
        }
        const auto written =
            write_marker(request.state(), {topic.name, partition},
                         {marker.producer_id, marker.producer_epoch}, marker.transaction_result);
        answers.partitions.push_back({partition, to_wire(written)});
      }
    }
  }
  return response;
}

}  // namespace millrace::inline v0::server
