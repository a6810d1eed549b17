#pragma once
#include <map>
#include <millrace/transactional_producer.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace millrace::inline v0 {

struct KeyValueStoreOptions {
  /// Of a new topic: 1 if not given. Of an existing one: must be what it has, if given.
  std::optional<std::int32_t> partitions = {};
  /// The store is this partition alone: one of several that share the work, each with the
  /// partitions of its input. Not given: all of them.
  std::optional<PartitionId> partition = {};
};

/// An ordered map in memory whose changes are part of transactions, together with the records and
/// offsets that go with them: after a crash it is what the last committed transaction left. Kept in
/// a compacted topic of its own, a record for each change, from which it is made again when it is
/// opened; others may read that topic like any other. K must have a `<`.
///
/// One store, and one transaction at a time, changes a key. For one thread at a time.
template <typename K, typename V>
class KeyValueStore {
 public:
  /// Reads what is committed. Open the TransactionalProducer first: what an instance before it had
  /// begun is aborted by then. Errors: invalid_argument (the topic is there, and not compacted),
  /// topic_exists (the number of partitions), unknown_partition, corrupt_data,
  /// concurrent_transactions (the transaction of another producer is open in the topic: what was
  /// committed behind its first record cannot be read yet), and those of Broker::topic().
  static Result<KeyValueStore> open(const Broker& broker, std::string_view topic,
                                    const KeyValueStoreOptions& options = {}) {
    MILLRACE_TRY(auto changes,
                 (broker.topic<K, V>(topic, {.partitions = options.partitions,
                                             .settings = {{"cleanup.policy", "compact"}}})));
    MILLRACE_TRY(const TopicInfo info, broker.describe_topic(topic));
    const auto policy = info.settings.find("cleanup.policy");
    if (policy == info.settings.end() || policy->second != "compact") {
      return Error(Errc::invalid_argument,
                   "keeping a store in topic " + std::string(topic) +
                       ", from which retention removes records: set its cleanup.policy to compact");
    }
    KeyValueStore store(std::move(changes), options.partition);
    if (options.partition) MILLRACE_CHECK(store.state_->consumer.assign({*options.partition}));
    MILLRACE_CHECK(store.read_all());
    return store;
  }

  /// With what the open transaction has changed; nothing if the key is not there.
  std::optional<V> get(const K& key) const {
    if (const auto changed = state_->changes.find(key); changed != state_->changes.end()) {
      return changed->second;
    }
    const auto found = state_->values.find(key);
    return found == state_->values.end() ? std::nullopt : std::optional<V>(found->second);
  }
  /// Seen by get() at once, and for good when the transaction is committed. What could not be sent
  /// keeps the transaction from being committed. Does nothing in one that is over.
  void put(Transaction& transaction, const K& key, const V& value) {
    change(transaction, key, &value);
  }
  void remove(Transaction& transaction, const K& key) { change(transaction, key, nullptr); }

  /// What is committed, in the order of the keys. Valid until the next call that is not const, or
  /// the end of a transaction.
  const std::map<K, V>& committed() const noexcept { return state_->values; }
  /// Takes up what others have committed since, up to the first record of a transaction that is
  /// open.
  Result<void> refresh() {
    for (;;) {
      MILLRACE_TRY(const auto records, state_->consumer.poll(std::chrono::nanoseconds(0)));
      if (records.empty()) return {};
      for (const auto& record : records) {
        MILLRACE_TRY(K key, record.try_key());
        if (state_->has_newer(key, record.offset())) continue;
        if (record.is_tombstone()) {
          state_->values.erase(key);
          continue;
        }
        MILLRACE_TRY(V value, record.try_value());
        state_->values.insert_or_assign(std::move(key), std::move(value));
      }
      MILLRACE_CHECK(records.status());
    }
  }
  const Topic<K, V>& topic() const noexcept { return state_->topic; }

 private:
  struct State {
    State(Topic<K, V> of, std::optional<PartitionId> in)
        : topic(std::move(of)), partition(in), consumer(topic) {}
    Topic<K, V> topic;
    std::optional<PartitionId> partition;
    Consumer<K, V> consumer;
    std::map<K, V> values;
    std::map<K, std::optional<V>> changes;  // of the open transaction
    std::map<K, PendingReceipt> sent;       // the last one of each
    std::map<K, Offset> own;                // where what it committed last stands, if not yet read
    bool is_joined = false;

    bool has_newer(const K& key, Offset offset) {
      const auto newest = own.find(key);
      if (newest == own.end()) return false;
      const bool is_newer = offset < newest->second;
      if (!is_newer) own.erase(newest);
      return is_newer;
    }

    void end(bool is_committed) {
      is_joined = false;
      for (const auto& [key, pending] : std::exchange(sent, {})) {
        if (!is_committed) break;
        if (const auto receipt = pending.get()) own.insert_or_assign(key, receipt->offset);
      }
      for (auto& [key, value] : std::exchange(changes, {})) {
        if (!is_committed) continue;
        if (value) {
          values.insert_or_assign(key, *std::move(value));
        } else {
          values.erase(key);
        }
      }
    }
  };

  KeyValueStore(Topic<K, V> topic, std::optional<PartitionId> partition)
      : state_(std::make_shared<State>(std::move(topic), partition)) {}

  Result<void> read_all() {
    std::vector<std::pair<PartitionId, Offset>> ends;
    for (const PartitionId id : state_->consumer.assignment()) {
      MILLRACE_TRY(const auto partition, state_->topic.partition(id));
      ends.emplace_back(id, partition.offsets().end);
    }
    MILLRACE_CHECK(refresh());
    for (const auto& [id, end] : ends) {
      MILLRACE_TRY(const Offset position, state_->consumer.position(id));
      if (position >= end) continue;
      return Error(Errc::concurrent_transactions,
                   "opening a store: another producer's transaction is open in its topic; end it, "
                   "or wait until its time is out, and open the store again")
          .at(state_->topic.name(), id);
    }
    return {};
  }

  void change(Transaction& transaction, const K& key, const V* value) {
    if (!transaction.is_open()) return;
    if (!std::exchange(state_->is_joined, true)) {
      transaction.on_end([state = state_](bool is_committed) { state->end(is_committed); });
    }
    state_->sent.insert_or_assign(
        key, transaction.send_with(state_->topic, {.partition = state_->partition}, &key, value));
    state_->changes.insert_or_assign(key, value == nullptr ? std::nullopt : std::optional(*value));
  }

  std::shared_ptr<State> state_;
};

}  // namespace millrace::inline v0
