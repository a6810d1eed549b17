#pragma once
#include <millrace/consumer_group.hpp>
#include <millrace/producer.hpp>
#include <string>
#include <type_traits>

namespace millrace::inline v0 {

/// Names in brackets are Kafka's.
struct TransactionalProducerOptions {
  /// How records gather on their way to partitions; always idempotent.
  ProducerOptions producer = {};
  /// A transaction that is open for longer is aborted, and its producer fenced
  /// [transaction.timeout.ms]; at most 15 minutes.
  std::chrono::milliseconds timeout = std::chrono::minutes(1);
};

namespace coordinator {
struct CommitRequest;
}
namespace detail {
struct TransactionalState;
}

/// Records to any topics of a broker, and offsets of consumer groups, that become visible together
/// or not at all. Made by TransactionalProducer::begin(); aborted by its destructor unless it was
/// committed. Any number of threads may send; whoever commits or aborts must be the last to use it.
class Transaction {
 public:
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&& other) noexcept;
  ~Transaction();

  /// As those of Producer, but to all partitions of the topic that any handle on it that was given
  /// to the producer knows. Readers of committed records see nothing of it before commit().
  template <typename K, typename V>
  PendingReceipt send(const Topic<K, V>& topic, const std::type_identity_t<K>& key,
                      const std::type_identity_t<V>& value, DeliveryCallback callback = {}) {
    return send_with(topic, {.callback = std::move(callback)}, &key, &value);
  }
  template <typename K, typename V>
  PendingReceipt send(const Topic<K, V>& topic, const std::type_identity_t<V>& value,
                      DeliveryCallback callback = {}) {
    return send_with(topic, {.callback = std::move(callback)}, nullptr, &value);
  }
  template <typename K, typename V>
  PendingReceipt remove(const Topic<K, V>& topic, const std::type_identity_t<K>& key,
                        DeliveryCallback callback = {}) {
    return send_with(topic, {.callback = std::move(callback)}, &key, nullptr);
  }
  template <typename K, typename V>
  PendingReceipt send_with(const Topic<K, V>& topic, OutgoingRecord extra,
                           const std::type_identity_t<K>* key,
                           const std::type_identity_t<V>* value) {
    if (!state_) return PendingReceipt::refused(over());
    ProducerCore& core = core_of(topic.core());
    thread_local ByteSink key_sink;
    thread_local ByteSink value_sink;
    if (key != nullptr) {
      auto bytes = detail::to_bytes(*key, key_sink);
      if (!bytes) return core.refuse(bytes.error(), extra.callback);
      extra.key = *bytes;
    }
    if (value != nullptr) {
      auto bytes = detail::to_bytes(*value, value_sink);
      if (!bytes) return core.refuse(bytes.error(), extra.callback);
      extra.value = *bytes;
    }
    return core.send(std::move(extra));
  }

  /// Commits offsets of a group whose partitions the caller assigns itself, as part of the
  /// transaction. For a GroupConsumer use its send_offsets_to(), which lets nobody commit what is
  /// another member's by now.
  Result<void> send_offsets(const std::string& group, const std::string& topic,
                            PartitionId partition, Offset offset);

  /// Makes all of it visible, for good: durable when it returns, in all of its topics, if one of
  /// them flushes before acknowledging or a group's offsets are part of it; else as durable as they
  /// are. On an error that is neither producer_fenced nor log_failed the transaction is still open:
  /// abort() it, and do its work again. Errors: those of records that could not be sent;
  /// producer_fenced (another instance took over, or the time was out: it is aborted);
  /// invalid_transaction_state (it is over already); io_error, no_space; log_failed: whether it
  /// counts is known after reopening.
  Result<void> commit();
  /// Makes nothing of it visible. On an error it is over all the same: the next begin() finishes
  /// the abort first. Errors: as commit().
  Result<void> abort();
  /// Calls `told` once with the outcome, within commit(), abort() or the destructor: for what the
  /// program keeps in memory. Not called if the transaction is over.
  void on_end(std::function<void(bool is_committed)> told);
  /// Neither committed nor aborted yet.
  bool is_open() const noexcept { return state_ != nullptr; }

  /// For what commits within it.
  Result<void> commit_offsets(const coordinator::CommitRequest& request);

 private:
  friend class TransactionalProducer;
  explicit Transaction(std::shared_ptr<detail::TransactionalState> state);
  ProducerCore& core_of(const std::shared_ptr<const engine::TopicCore>& topic);
  static Error over();

  std::shared_ptr<detail::TransactionalState> state_;
};

/// A producer whose records are part of transactions (KIP-98). Its transactional id names the
/// program that goes on where an instance before it stopped: opening it again fences that one, and
/// aborts what it had begun. Give each concurrent instance an id of its own. For one thread at a
/// time; it keeps its broker open.
class TransactionalProducer {
 public:
  /// Errors: invalid_argument (an empty id, the timeout), read_only (an attachment), no_space,
  /// io_error, concurrent_transactions (the end of its last transaction cannot be written yet).
  static Result<TransactionalProducer> open(const Broker& broker,
                                            const std::string& transactional_id,
                                            const TransactionalProducerOptions& options = {});

  /// One at a time: invalid_transaction_state while there is one. Costs nothing before the first
  /// record.
  Result<Transaction> begin();
  const std::string& transactional_id() const noexcept;

 private:
  explicit TransactionalProducer(std::shared_ptr<detail::TransactionalState> state);
  std::shared_ptr<detail::TransactionalState> state_;
};

}  // namespace millrace::inline v0
