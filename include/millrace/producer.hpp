#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <millrace/partitioner.hpp>
#include <millrace/topic.hpp>

namespace millrace::inline v0 {

/// Names in brackets are Kafka's.
struct ProducerOptions {
  /// Bytes gathered for a partition before they are appended as one batch [batch.size]; less if the
  /// topic takes only smaller batches.
  std::size_t batch_bytes = 64u << 10;
  /// How long a record may wait for company [linger.ms]. Whoever waits for a receipt, or flushes,
  /// ends the wait. 0 appends at once, or, while a flush is running, right after it.
  std::chrono::milliseconds linger{5};
  /// Bytes gathered or appended but not acknowledged, over all partitions [buffer.memory].
  std::size_t buffer_bytes = 32u << 20;
  /// How long send() may wait for room in the buffer before it answers back_pressure
  /// [max.block.ms].
  std::chrono::milliseconds max_block = std::chrono::seconds(60);
  /// [compression.type]; not given: the topic's, or none.
  std::optional<record::Codec> compression = {};
  /// Empty: partitioner::murmur2().
  Partitioner partitioner = {};
  /// Numbers the batches, so that one that is handed in twice is stored once, and a lost one is
  /// noticed [enable.idempotence]. Needs a producer id: the directory is written to when the first
  /// record is sent, and once per 1,000 producers after that.
  bool idempotent = true;
};

/// What send() did at once.
enum class SendStatus : std::uint8_t {
  accepted,       ///< it will be acknowledged, or its error reported
  back_pressure,  ///< the buffer is full and stayed so for max_block: nothing was sent
  failed,         ///< refused, see PendingReceipt::get(): nothing was sent
};

namespace detail {
struct SentBatch;
/// What makes a producer part of transactions: whose they are, and who is asked before a record
/// goes to a partition.
struct TransactionSeat {
  record::ProducerIdentity producer;
  /// Makes the partition part of the open transaction, and notes the number of that for it.
  std::function<Result<void>(PartitionId, std::atomic<std::uint64_t>& admitted_in)> admit = {};
  /// The number of the open transaction; whoever made the seat keeps it.
  const std::atomic<std::uint64_t>* current = nullptr;

  bool needs_admission(const std::atomic<std::uint64_t>& admitted_in) const noexcept {
    return current != nullptr &&
           admitted_in.load(std::memory_order_acquire) != current->load(std::memory_order_relaxed);
  }
};
}  // namespace detail

/// The outcome of a send, now or later. Need not be kept.
class PendingReceipt {
 public:
  SendStatus status() const noexcept { return status_; }
  bool accepted() const noexcept { return status_ == SendStatus::accepted; }
  /// Whether get() would return at once.
  bool is_done() const noexcept;
  /// Waits until the record is acknowledged; helps to get it there, so it needs no other thread.
  Result<Receipt> get() const;
  /// Of a record that could not be sent.
  static PendingReceipt refused(Error error) {
    PendingReceipt pending;
    pending.error_ = std::move(error);
    return pending;
  }

 private:
  friend class ProducerCore;
  SendStatus status_ = SendStatus::failed;
  std::shared_ptr<detail::SentBatch> batch_;
  std::int32_t index_ = 0;
  std::optional<Error> error_;
};

/// Told of a record's outcome, on the thread that made it durable: must be quick, and must not call
/// the producer. Comes in the order of the offsets for the records of one partition.
using DeliveryCallback = std::function<void(const Result<Receipt>&)>;

/// One record to send, as bytes that the caller owns until send() returns.
struct OutgoingRecord {
  std::optional<Bytes> key = {};
  std::optional<Bytes> value = {};
  std::span<const Header> headers = {};
  std::optional<PartitionId> partition = {};  ///< not given: the partitioner decides
  std::optional<Timestamp> timestamp = {};    ///< not given: now
  DeliveryCallback callback = {};
};

/// Gathers records of bytes into batches and appends them. Thread-safe. The destructor, and
/// assigning to it, send what is gathered; flush() first to hear of errors.
class ProducerCore {
 public:
  ProducerCore(const Broker& broker, std::shared_ptr<const engine::TopicCore> topic,
               ProducerOptions options);
  /// For a TransactionalProducer, which ends what is sent.
  ProducerCore(const Broker& broker, std::shared_ptr<const engine::TopicCore> topic,
               ProducerOptions options, detail::TransactionSeat seat);
  /// Sends to partitions of the same topic, too, that were added since. Not thread-safe with
  /// itself, but with all else.
  void grow(const engine::TopicCore& topic);
  ProducerCore(ProducerCore&&) noexcept;
  ProducerCore& operator=(ProducerCore&&) noexcept;
  ~ProducerCore();

  PendingReceipt send(OutgoingRecord record);
  /// Reports `error` as the outcome of a record that could not even be serialized.
  PendingReceipt refuse(const Error& error, const DeliveryCallback& callback);
  /// Returns when everything sent before is acknowledged and its callbacks have returned; the first
  /// error since the last flush() or push().
  Result<void> flush();
  /// Returns when everything sent before is appended, which is not yet acknowledged; the errors of
  /// flush().
  Result<void> push();

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

/// Sends typed records to a topic, to the partitions that it had when the handle was made.
/// Thread-safe: one producer serves all threads.
template <typename K, typename V>
class Producer {
 public:
  explicit Producer(const Topic<K, V>& topic, ProducerOptions options = {})
      : core_(topic.broker(), topic.core(), std::move(options)) {}

  /// Returns at once (but see max_block). Errors, the Serde's included, surface in the
  /// PendingReceipt, in `callback` and at flush().
  PendingReceipt send(const K& key, const V& value, DeliveryCallback callback = {}) {
    return send_with({.callback = std::move(callback)}, &key, &value);
  }
  /// Without a key.
  PendingReceipt send(const V& value, DeliveryCallback callback = {}) {
    return send_with({.callback = std::move(callback)}, nullptr, &value);
  }
  /// Marks a key of a compacted topic as deleted (a tombstone: a null value).
  PendingReceipt remove(const K& key, DeliveryCallback callback = {}) {
    return send_with({.callback = std::move(callback)}, &key, nullptr);
  }
  /// With headers, a partition or a time of your own in `extra`; its key and value are set from
  /// `key` and `value` (null pointers: null).
  PendingReceipt send_with(OutgoingRecord extra, const K* key, const V* value) {
    thread_local ByteSink key_sink;
    thread_local ByteSink value_sink;
    if (key != nullptr) {
      auto bytes = detail::to_bytes(*key, key_sink);
      if (!bytes) return core_.refuse(bytes.error(), extra.callback);
      extra.key = *bytes;
    }
    if (value != nullptr) {
      auto bytes = detail::to_bytes(*value, value_sink);
      if (!bytes) return core_.refuse(bytes.error(), extra.callback);
      extra.value = *bytes;
    }
    return core_.send(std::move(extra));
  }

  /// Returns when everything sent before is acknowledged and its callbacks have returned; the first
  /// error since the last flush().
  Result<void> flush() { return core_.flush(); }

 private:
  ProducerCore core_;
};

}  // namespace millrace::inline v0
