#include "remote_transactions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <millrace/client/errors.hpp>
#include <millrace/client/patience.hpp>
#include <millrace/protocol/messages/describe_producers.hpp>
#include <millrace/protocol/messages/describe_transactions.hpp>
#include <millrace/protocol/messages/init_producer_id.hpp>
#include <millrace/protocol/messages/list_transactions.hpp>

#include "../txn_text.hpp"

namespace millrace::inline v0::cli::remote {
namespace {

using namespace protocol;
using client::check;
using client::Cluster;
using client::Connection;

Result<Connection*> coordinator_of(Cluster& cluster, const std::string& id) {
  return cluster.coordinator(Cluster::CoordinatorOf::transaction, id);
}

Result<DescribeTransactionsResponse::Transaction> ask(Connection& coordinator,
                                                      const std::string& id) {
  const DescribeTransactionsRequest request{.transactional_ids = {id}};
  MILLRACE_TRY(auto response, coordinator.call<DescribeTransactionsResponse>(request));
  if (response.transaction_states.size() != 1) {
    return Error(Errc::corrupt_data, fmt::format("describing {}: the answer is not about the one "
                                                 "transactional id that was asked about",
                                                 id));
  }
  auto& found = response.transaction_states.front();
  if (found.error_code == WireError::transactional_id_not_found) {
    return Error(Errc::unknown_transactional_id,
                 fmt::format("there is no transactional id {}: no producer has used it, or it has "
                             "expired",
                             id));
  }
  MILLRACE_CHECK(check("describing transactional id " + id, found.error_code));
  return std::move(found);
}

Result<TransactionSummary> summary_of(const DescribeTransactionsResponse::Transaction& found) {
  TransactionSummary summary;
  summary.transactional_id = found.transactional_id;
  MILLRACE_TRY(summary.state, parse_transaction_state(found.transaction_state));
  summary.producer_id = found.producer_id;
  summary.producer_epoch = found.producer_epoch;
  summary.timeout = std::chrono::milliseconds(found.transaction_timeout_ms);
  for (const auto& topic : found.topics) summary.partitions += topic.partitions.size();
  if (found.transaction_start_time_ms >= 0) {
    summary.started = summary.updated = Timestamp{found.transaction_start_time_ms};
  }
  return summary;
}

/// Where the open transaction of that producer begins, if the leader can tell.
Result<std::optional<Offset>> first_offset_of(Cluster& cluster, const TopicPartition& partition,
                                              std::int64_t producer) {
  MILLRACE_TRY(const auto topic, cluster.topic(partition.topic));
  MILLRACE_TRY(Connection* const leader, cluster.leader_of(topic, partition.partition));
  if (!leader->serves(ApiKey::describe_producers)) return std::optional<Offset>();
  DescribeProducersRequest request;
  request.topics.push_back({partition.topic, {partition.partition}});
  MILLRACE_TRY(const auto response, leader->call<DescribeProducersResponse>(request));
  for (const auto& answer : response.topics) {
    for (const auto& one : answer.partitions) {
      MILLRACE_CHECK(
          check("asking for the producers of a partition", one.error_code, one.error_message));
      for (const auto& active : one.active_producers) {
        if (active.producer_id == producer && active.current_txn_start_offset >= 0) {
          return std::optional(Offset{active.current_txn_start_offset});
        }
      }
    }
  }
  return std::optional<Offset>();
}

}  // namespace

Result<std::vector<TransactionSummary>> list_transactions(Cluster& cluster) {
  MILLRACE_TRY(const auto metadata, cluster.metadata(std::vector<std::string>()));
  std::vector<TransactionSummary> all;
  for (const auto& broker : metadata.brokers) {
    MILLRACE_TRY(Connection* const to, cluster.node(broker.node_id));
    MILLRACE_TRY(const auto response,
                 to->call<ListTransactionsResponse>(ListTransactionsRequest{}));
    MILLRACE_CHECK(check("listing the transactions", response.error_code));
    for (const auto& one : response.transaction_states) {
      MILLRACE_TRY(const auto found, ask(*to, one.transactional_id));
      MILLRACE_TRY(auto summary, summary_of(found));
      all.push_back(std::move(summary));
    }
  }
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.transactional_id < b.transactional_id; });
  return all;
}

Result<TransactionDescription> describe_transaction(Cluster& cluster,
                                                    const std::string& transactional_id) {
  MILLRACE_TRY(Connection* const to, coordinator_of(cluster, transactional_id));
  MILLRACE_TRY(const auto found, ask(*to, transactional_id));
  TransactionDescription description;
  MILLRACE_TRY(description.summary, summary_of(found));
  for (const auto& topic : found.topics) {
    for (const std::int32_t id : topic.partitions) {
      MILLRACE_TRY(const auto first,
                   first_offset_of(cluster, {topic.topic, id}, found.producer_id));
      description.partitions.push_back({{topic.topic, id}, first});
    }
  }
  std::sort(description.partitions.begin(), description.partitions.end(),
            [](const auto& a, const auto& b) { return a.partition < b.partition; });
  return description;
}

Result<void> abort_transaction(Cluster& cluster, const TransactionSummary& transaction) {
  constexpr client::Patience until_it_is_ended{.most_attempts = 300};
  InitProducerIdRequest request;
  request.transactional_id = transaction.transactional_id;
  request.transaction_timeout_ms = static_cast<std::int32_t>(transaction.timeout.count());
  MILLRACE_TRY(Connection* const to, coordinator_of(cluster, transaction.transactional_id));
  // Answered at once while the transaction is still being ended.
  MILLRACE_TRY(const auto response, client::ask_patiently(until_it_is_ended, [&] {
                 return to->call<InitProducerIdResponse>(request);
               }));
  return check("aborting the transaction of " + transaction.transactional_id, response.error_code);
}

}  // namespace millrace::inline v0::cli::remote
