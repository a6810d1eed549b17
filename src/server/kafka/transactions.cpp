#include "server/kafka/server_state.hpp"
#include "server/kafka/transaction_errors.hpp"
#include "server/kafka/transaction_handlers.hpp"
#include "server/wire_errors.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;
using coordinator::TransactionalProducerId;

constexpr ApiVersion first_with_fenced = 2;

template <typename Message>
TransactionalProducerId producer_of(const Message& message) {
  return {message.transactional_id, {message.producer_id, message.producer_epoch}};
}

/// Asks the coordinator; what the producer is told.
template <typename Ask>
WireError ask_coordinator(const Request& request, const TransactionalProducerId& from,
                          const Ask& ask) {
  if (!request.may_transactional_id(Operation::write, from.transactional_id)) {
    return WireError::transactional_id_authorization_failed;
  }
  if (from.transactional_id.empty()) return WireError::invalid_request;
  const auto transactions = request.state().transactions();
  if (!transactions) return WireError::coordinator_not_available;
  const Result<void> done = ask(**transactions);
  if (done) return WireError::none;
  return transaction_error(**transactions, from, done.error().code(),
                           request.version() >= first_with_fenced);
}

WireError check_init(const InitProducerIdRequest& message) {
  const bool is_empty = message.transactional_id && message.transactional_id->empty();
  const bool is_half = (message.producer_id < 0) != (message.producer_epoch < 0);
  return is_empty || is_half ? WireError::invalid_request : WireError::none;
}

/// As in Kafka, who may write to some topic may do so idempotently.
WireError check_access(const InitProducerIdRequest& message, const Request& request) {
  if (message.transactional_id) {
    return request.may_transactional_id(Operation::write, *message.transactional_id)
               ? WireError::none
               : WireError::transactional_id_authorization_failed;
  }
  const bool may_write = request.may_cluster(Operation::idempotent_write) ||
                         request.may_topic(Operation::write, any_topic);
  return may_write ? WireError::none : WireError::cluster_authorization_failed;
}

WireError init_error(const Error& error, ApiVersion version) {
  constexpr ApiVersion first_with_fenced_producers = 4;
  switch (error.code()) {
    case Errc::invalid_argument:
      return WireError::invalid_transaction_timeout;
    case Errc::producer_fenced:
      return version < first_with_fenced_producers ? WireError::invalid_producer_epoch
                                                   : WireError::producer_fenced;
    case Errc::concurrent_transactions:
      return WireError::concurrent_transactions;
    default:
      return WireError::coordinator_not_available;
  }
}

Result<coordinator::ProducerEpoch> init_transactional(const InitProducerIdRequest& message,
                                                      const Request& request) {
  const auto transactions = request.state().transactions();
  if (!transactions) return transactions.error();
  coordinator::InitProducerRequest wanted{
      .transactional_id = *message.transactional_id,
      .timeout = std::chrono::milliseconds(message.transaction_timeout_ms)};
  if (message.producer_id >= 0) {
    wanted.current = coordinator::ProducerEpoch{message.producer_id, message.producer_epoch};
  }
  return (*transactions)->init_producer(wanted);
}

/// Of a transaction that has to do with a group.
template <typename Message>
WireError check_access(const Message& message, const Request& request) {
  if (!request.may_transactional_id(Operation::write, message.transactional_id)) {
    return WireError::transactional_id_authorization_failed;
  }
  if (!request.may_group(Operation::read, message.group_id)) {
    return WireError::group_authorization_failed;
  }
  return WireError::none;
}

/// The partitions that are there; `response` says which are not.
std::vector<coordinator::TopicPartition> partitions_of(const AddPartitionsToTxnRequest& message,
                                                       const Request& request,
                                                       AddPartitionsToTxnResponse& response) {
  std::vector<coordinator::TopicPartition> found;
  for (const auto& topic : message.topics) {
    auto& answers = response.results.emplace_back();
    answers.name = topic.name;
    const bool may_write = request.may_topic(Operation::write, topic.name);
    for (const std::int32_t partition : topic.partitions) {
      const WireError error = may_write ? to_wire(request.state().partition(topic.name, partition))
                                        : WireError::topic_authorization_failed;
      answers.results_by_partition.push_back({partition, error});
      if (error == WireError::none) found.push_back({topic.name, partition});
    }
  }
  return found;
}

void set_all(AddPartitionsToTxnResponse& response, WireError error) {
  for (auto& topic : response.results) {
    for (auto& partition : topic.results_by_partition) partition.partition_error_code = error;
  }
}

/// Of those that are good.
void set_errors(AddPartitionsToTxnResponse& response, WireError error) {
  for (auto& topic : response.results) {
    for (auto& partition : topic.results_by_partition) {
      if (partition.partition_error_code == WireError::none) partition.partition_error_code = error;
    }
  }
}

bool has_error(const AddPartitionsToTxnResponse& response) {
  for (const auto& topic : response.results) {
    for (const auto& partition : topic.results_by_partition) {
      if (partition.partition_error_code != WireError::none) return true;
    }
  }
  return false;
}

/// What is to be committed, those partitions left out that cannot be; `response` says why.
std::vector<coordinator::OffsetToCommit> offsets_of(const TxnOffsetCommitRequest& message,
                                                    const Request& request,
                                                    TxnOffsetCommitResponse& response) {
  constexpr std::size_t longest_metadata = 4096;
  std::vector<coordinator::OffsetToCommit> offsets;
  const WireError refused = check_access(message, request);
  for (const auto& topic : message.topics) {
    auto& answers = response.topics.emplace_back();
    answers.name = topic.name;
    const bool may_read = request.may_topic(Operation::read, topic.name);
    for (const auto& from : topic.partitions) {
      WireError error = to_wire(request.state().partition(topic.name, from.partition_index));
      const std::string metadata = from.committed_metadata.value_or(std::string());
      if (metadata.size() > longest_metadata) error = WireError::offset_metadata_too_large;
      if (!may_read) error = WireError::topic_authorization_failed;
      if (refused != WireError::none) error = refused;
      answers.partitions.push_back({from.partition_index, error});
      if (error != WireError::none) continue;
      offsets.push_back({.partition = {topic.name, from.partition_index},
                         .committed = {.offset = Offset{from.committed_offset},
                                       .leader_epoch = LeaderEpoch{from.committed_leader_epoch},
                                       .metadata = metadata,
                                       .commit_time = Timestamp::none(),
                                       .expire_time = std::nullopt}});
    }
  }
  return offsets;
}

}  // namespace

InitProducerIdResponse init_producer_id(const InitProducerIdRequest& message,
                                        const Request& request) {
  InitProducerIdResponse response;
  response.producer_epoch = -1;
  response.error_code = check_access(message, request);
  if (response.error_code == WireError::none) response.error_code = check_init(message);
  if (response.error_code != WireError::none) return response;
  if (message.transactional_id) {
    const auto producer = init_transactional(message, request);
    if (!producer) {
      response.error_code = init_error(producer.error(), request.version());
      return response;
    }
    response.producer_id = producer->id;
    response.producer_epoch = producer->epoch;
    return response;
  }
  const auto identity = request.state().broker().take_producer_id();
  response.error_code = to_wire(identity);
  if (!identity) return response;
  response.producer_id = identity->id;
  response.producer_epoch = identity->epoch;
  return response;
}

AddPartitionsToTxnResponse add_partitions_to_txn(const AddPartitionsToTxnRequest& message,
                                                 const Request& request) {
  AddPartitionsToTxnResponse response;
  const auto partitions = partitions_of(message, request, response);
  if (!request.may_transactional_id(Operation::write, message.transactional_id)) {
    set_all(response, WireError::transactional_id_authorization_failed);
    return response;
  }
  if (has_error(response)) {
    set_errors(response, WireError::operation_not_attempted);
    return response;
  }
  if (partitions.empty()) return response;
  const auto from = producer_of(message);
  set_errors(response, ask_coordinator(request, from, [&](TransactionService& transactions) {
               return transactions.add_partitions(from, partitions);
             }));
  return response;
}

AddOffsetsToTxnResponse add_offsets_to_txn(const AddOffsetsToTxnRequest& message,
                                           const Request& request) {
  AddOffsetsToTxnResponse response;
  const auto from = producer_of(message);
  response.error_code = check_access(message, request);
  if (response.error_code != WireError::none) return response;
  response.error_code = ask_coordinator(request, from, [&](TransactionService& transactions) {
    return transactions.add_offsets(from, message.group_id);
  });
  return response;
}

TxnOffsetCommitResponse txn_offset_commit(const TxnOffsetCommitRequest& message,
                                          const Request& request) {
  TxnOffsetCommitResponse response;
  coordinator::CommitRequest wanted;
  wanted.from = {.group = message.group_id,
                 .member = {message.member_id, message.group_instance_id},
                 .generation = message.generation_id};
  wanted.offsets = offsets_of(message, request, response);
  if (wanted.offsets.empty()) return response;
  WireError error = WireError::invalid_group_id;
  if (!message.group_id.empty()) {
    const auto from = producer_of(message);
    error = ask_coordinator(request, from, [&](TransactionService& transactions) {
      return transactions.commit_added_offsets(from, wanted);
    });
  }
  for (auto& topic : response.topics) {
    for (auto& partition : topic.partitions) {
      if (partition.error_code == WireError::none) partition.error_code = error;
    }
  }
  return response;
}

EndTxnResponse end_txn(const EndTxnRequest& message, const Request& request) {
  EndTxnResponse response;
  const auto from = producer_of(message);
  response.error_code = ask_coordinator(request, from, [&](TransactionService& transactions) {
    return transactions.end(from, message.committed);
  });
  return response;
}

}  // namespace millrace::inline v0::server
