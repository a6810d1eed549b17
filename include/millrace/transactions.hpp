#pragma once
#include <chrono>
#include <millrace/broker.hpp>
#include <millrace/coordinator/transaction.hpp>

namespace millrace::inline v0 {

using coordinator::TransactionState;

/// What is known of a transactional id: its producer, and its last transaction.
struct TransactionSummary {
  std::string transactional_id;
  TransactionState state = TransactionState::empty;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
  std::chrono::milliseconds timeout{0};
  std::size_t partitions = 0;             ///< of the transaction, while it is not over
  Timestamp started = Timestamp::none();  ///< when it began; none if there was none yet
  Timestamp updated = Timestamp::none();  ///< when its state or its partitions last changed

  /// Neither committed nor aborted in all its partitions yet.
  bool is_open() const noexcept {
    return state == TransactionState::ongoing || state == TransactionState::prepare_commit ||
           state == TransactionState::prepare_abort ||
           state == TransactionState::prepare_epoch_fence;
  }
  /// Since when it is in its state.
  Timestamp since() const noexcept {
    return state == TransactionState::ongoing ? started : updated;
  }
};

struct TransactionPartition {
  TopicPartition partition;
  /// Of the transaction's first record there: readers of committed records see nothing from here
  /// on. Nothing if it has none, is over there, or its records cannot be read.
  std::optional<Offset> first_offset;
};

struct TransactionDescription {
  TransactionSummary summary;
  std::vector<TransactionPartition> partitions;  ///< in order of topic and number
};

/// Looks after the transactions of a broker. With an attached broker it shows what another
/// process's transactions have written, also when that process is gone, and changes nothing
/// (read_only): what a process that is gone had begun is shown as open, until the directory has an
/// owner again, which aborts it. Thread-safe.
class Transactions {
 public:
  explicit Transactions(Broker broker) : broker_(std::move(broker)) {}

  /// All transactional ids, in alphabetical order.
  Result<std::vector<TransactionSummary>> list() const;
  /// unknown_transactional_id.
  Result<TransactionDescription> describe(const std::string& transactional_id) const;
  /// Takes the open transaction from its producer, which hears producer_fenced, and aborts it; it
  /// is aborted in all its partitions when this returns. unknown_transactional_id,
  /// invalid_transaction_state (none is open), concurrent_transactions (it is being ended already),
  /// read_only.
  Result<void> abort(const std::string& transactional_id) const;

 private:
  Broker broker_;
};

}  // namespace millrace::inline v0
