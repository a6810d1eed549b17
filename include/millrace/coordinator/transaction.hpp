#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <millrace/coordinator/producer_epoch.hpp>
#include <millrace/coordinator/topic_partition.hpp>
#include <set>
#include <string_view>

namespace millrace::inline v0::coordinator {

/// Kafka's states of a transaction, by their numbers in the log.
enum class TransactionState : std::int8_t {
  empty = 0,                ///< never used, or given to a new instance
  ongoing = 1,              ///< has partitions
  prepare_commit = 2,       ///< decided; not all markers are written yet
  prepare_abort = 3,        ///< the same
  complete_commit = 4,      ///< all markers are written
  complete_abort = 5,       ///< the same
  dead = 6,                 ///< the transactional id has expired
  prepare_epoch_fence = 7,  ///< being taken from its producer; never in the log
};

/// Kafka's name of a state, as DescribeTransactions gives it.
std::string_view to_string(TransactionState state) noexcept;

/// Where the records of a transaction end in its partitions: offsets behind the last one. What its
/// producer has open at or behind that is part of a later transaction.
using DataEnds = std::map<TopicPartition, Offset>;

/// What is known of a transactional id: its producer, and its last transaction.
struct Transaction {
  ProducerEpoch producer;
  std::chrono::milliseconds timeout{0};
  TransactionState state = TransactionState::empty;
  /// Of the transaction that is ongoing or being ended; none otherwise.
  std::set<TopicPartition> partitions;
  /// Of one whose commit is decided, for all of its partitions or none.
  DataEnds ends;
  Timestamp started = Timestamp::none();
  Timestamp updated = Timestamp::none();

  bool is_decided() const noexcept {
    return state == TransactionState::prepare_commit || state == TransactionState::prepare_abort;
  }
  bool is_ongoing() const noexcept {
    return state == TransactionState::ongoing || state == TransactionState::prepare_epoch_fence;
  }
  friend bool operator==(const Transaction&, const Transaction&) = default;
};

}  // namespace millrace::inline v0::coordinator
