#pragma once
#include <millrace/coordinator/group_requests.hpp>
#include <millrace/coordinator/transaction.hpp>

/// What producers ask a transaction coordinator and what it answers: Kafka's InitProducerId,
/// AddPartitionsToTxn, AddOffsetsToTxn and EndTxn without their wire form.
namespace millrace::inline v0::coordinator {

struct InitProducerRequest {
  std::string transactional_id;
  Milliseconds timeout = std::chrono::minutes(1);
  /// Of a producer that goes on after an error (KIP-360); fenced if it is not the last one.
  std::optional<ProducerEpoch> current = {};
  /// While the transaction of the instance before is being ended: wait for it, instead of
  /// concurrent_transactions.
  bool waits = false;
};

struct InitProducerReply {
  Token token = {};
  Result<ProducerEpoch> answer;
};

/// Who a request of a transaction comes from.
struct TransactionalProducerId {
  std::string transactional_id;
  ProducerEpoch producer;
};

struct EndTransactionRequest {
  TransactionalProducerId from;
  bool is_commit = false;
  /// Answered once all markers are written, not when the outcome is durable.
  bool waits_for_markers = false;
  /// Of a commit.
  DataEnds ends = {};
  /// It has one partition, and the marker there decides: one write instead of two in a row.
  /// concurrent_transactions if there are more by now.
  bool marker_decides = false;
  /// Whether the outcome must be durable before it is answered.
  bool is_durable = true;
};

struct TransactionReply {
  Token token = {};
  Result<void> answer;
};

/// A record that what waits for it wants in the log: tell the coordinator by written().
struct TransactionWrite {
  enum class Until : std::uint8_t {
    eventually,  ///< nobody waits; of no more use once a later one of the same id is in the log
    appended,    ///< in the log, durable some time later
    synced,      ///< durable
  };
  WriteId id = {};
  std::string transactional_id;
  InternalRecord record;
  Until until = Until::synced;
};

/// Markers to be written to each of the partitions: tell the coordinator by marked(), or by
/// written() if they decide. A partition that is there no more needs none, nor does one where what
/// the producer has open begins at or behind the end.
struct MarkersToWrite {
  WriteId id = {};
  ProducerEpoch producer;
  bool is_commit = false;
  std::vector<TopicPartition> partitions;
  DataEnds ends = {};
  bool is_durable = true;  ///< written means durable
  bool decides = false;    ///< nothing is decided before it is written
};

/// What a coordinator wants done, in this order within each kind.
struct TransactionActions {
  std::vector<InitProducerReply> inits;
  std::vector<TransactionReply> replies;
  std::vector<TransactionWrite> writes;
  std::vector<MarkersToWrite> markers;
};

}  // namespace millrace::inline v0::coordinator
