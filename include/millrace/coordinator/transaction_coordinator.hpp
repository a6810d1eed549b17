#pragma once
#include <functional>
#include <map>
#include <millrace/coordinator/group.hpp>
#include <millrace/coordinator/transaction_requests.hpp>
#include <set>

namespace millrace::inline v0::coordinator {

struct TransactionCoordinatorOptions {
  Milliseconds max_timeout = std::chrono::minutes(15);      ///< [transaction.max.timeout.ms]
  Milliseconds id_expiration = std::chrono::hours(24 * 7);  ///< [transactional.id.expiration.ms]
  Milliseconds expiration_check_interval = std::chrono::hours(1);
  /// After which what could not be written is tried again.
  Milliseconds retry_delay = std::chrono::seconds(1);
  /// Producers were of the process that is gone, so what they had only begun is aborted at once;
  /// otherwise when its time is out.
  bool aborts_when_loaded = true;
};

/// All transactional ids and their transactions: Kafka's TransactionCoordinator as a pure state
/// machine (KIP-98, KIP-360, KIP-588), beside GroupCoordinator and in its manner. What it knows can
/// be made again from the records that it had written, by load() and then loaded(). Not
/// thread-safe.
///
/// A transaction is decided once its prepare_commit or prepare_abort is durable. From then on its
/// markers are asked for until every partition has one, also after a restart. A commit with a
/// single partition may be decided by the marker there instead: that is durable only with all that
/// is before it in its log.
///
/// The records of a transaction that begins, and of one that is complete, need not be durable.
/// Whoever runs this must, after loaded(), abort what is open in a partition and not known here,
/// see owns(). Where the data of a commit ends is kept with the decision, so that markers that are
/// asked for once more do not commit what the producer sent after them.
class TransactionCoordinator {
 public:
  using Now = Group::Now;
  using Steady = Clock::Steady;
  /// An id and epoch that nobody has had.
  using ProducerIdSource = std::function<Result<ProducerEpoch>()>;
  /// A producer that had this epoch gets a new id.
  static constexpr std::int16_t largest_epoch = 32766;

  TransactionCoordinator(const TransactionCoordinatorOptions& options, ProducerIdSource ids);

  /// Gives a new instance its producer, fences the one before, and aborts what that had begun.
  /// invalid_argument, producer_fenced, concurrent_transactions.
  void init_producer(const InitProducerRequest& request, Token token, const Now& now,
                     TransactionActions& actions);
  /// Before the first record of the transaction in these partitions; begins it, if need be. All or
  /// none. unknown_transactional_id, producer_fenced, concurrent_transactions.
  void add_partitions(const TransactionalProducerId& from,
                      const std::vector<TopicPartition>& partitions, Token token, const Now& now,
                      TransactionActions& actions);
  /// Whether the partition is part of the producer's transaction (KIP-890):
  /// invalid_transaction_state if not.
  Result<void> verify(const TransactionalProducerId& from, const TopicPartition& partition) const;
  /// Asking once more for the outcome that it had succeeds. unknown_transactional_id,
  /// producer_fenced, concurrent_transactions, invalid_transaction_state.
  void end(const EndTransactionRequest& request, Token token, const Now& now,
           TransactionActions& actions);
  /// Takes an open transaction from its producer; answered when its markers are written.
  /// unknown_transactional_id, invalid_transaction_state, concurrent_transactions.
  void abort(const std::string& transactional_id, Token token, const Now& now,
             TransactionActions& actions);

  void written(WriteId id, const Result<void>& result, const Now& now, TransactionActions& actions);
  /// Markers were written to all partitions but those in `missing`, which are tried again.
  void marked(WriteId id, const std::vector<TopicPartition>& missing, const Now& now,
              TransactionActions& actions);

  /// Takes up one record of the internal topic, in the order of the log. corrupt_data if its bytes
  /// are not what they should be.
  Result<void> load(Bytes key, std::optional<Bytes> value);
  /// After the last record: finishes what is decided, aborts what lost its producer.
  void loaded(const Now& now, TransactionActions& actions);

  void tick(const Now& now, TransactionActions& actions);
  std::optional<Steady> next_deadline() const;

  /// Null if there is no such transactional id.
  const Transaction* transaction(std::string_view transactional_id) const;
  std::vector<std::pair<std::string, const Transaction*>> transactions() const;
  /// Whether a producer's transaction that is not over has this partition, and may have begun at
  /// `first` there.
  bool owns(std::int64_t producer_id, const TopicPartition& partition, Offset first) const;

 private:
  struct Waiting {
    InitProducerRequest request;
    Token token = {};
  };
  struct Entry {
    Transaction current;
    std::optional<Transaction> next;  ///< on its way into the log
    ProducerEpoch last = {};          ///< of the instance before, if it went on by itself
    bool fence_failed = false;        ///< its epoch is raised already
    std::vector<TopicPartition> unmarked;
    std::optional<WriteId> marking;
    bool is_durable = true;  ///< its outcome must be, before anybody is told
    /// Why nobody knows whether the marker that decides is in the log: until the next restart.
    std::optional<Error> doubt;
    std::vector<Waiting> waiting;
    std::vector<Token> ending;  ///< those who wait for the markers
    std::optional<Steady> due;
    bool is_busy() const noexcept { return next.has_value() || current.is_decided(); }
  };
  enum class Purpose : std::uint8_t { init, add, prepare, prepare_and_mark, decide, complete };
  struct Pending {
    std::string transactional_id;
    Purpose purpose;
    std::optional<Token> token;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;
  using Place = Entries::value_type;

  Result<Place*> find(const TransactionalProducerId& from);
  Result<void> check(const InitProducerRequest& request) const;
  void give_producer(Place& place, const InitProducerRequest& request, Token token, const Now& now,
                     TransactionActions& actions);
  void write(Place& place, Transaction next, Pending pending, TransactionActions& actions);
  void end_open(Place& place, const EndTransactionRequest& request, Token token, const Now& now,
                TransactionActions& actions);
  void prepare(Place& place, bool is_commit, Pending pending, const Now& now,
               TransactionActions& actions);
  void fence(Place& place, Pending pending, const Now& now, TransactionActions& actions);
  void prepared(Place& place, const Pending& pending, const Result<void>& result, const Now& now,
                TransactionActions& actions);
  void doubt(Place& place, Token token, const Error& why, TransactionActions& actions);
  void mark(Place& place, TransactionActions& actions);
  void complete(Place& place, const Now& now, TransactionActions& actions);
  void completed(Place& place, const Now& now, TransactionActions& actions);
  void go_on(Place& place, const Now& now, TransactionActions& actions);
  void put_off(Place& place, const Now& now, TransactionActions& actions);
  void answer_enders(Entry& entry, TransactionActions& actions);
  void set_due(Place& place, std::optional<Steady> due);
  void expire(const Now& now, TransactionActions& actions);

  const TransactionCoordinatorOptions options_;
  const ProducerIdSource ids_;
  Entries entries_;
  std::set<std::pair<Steady, std::string>> timers_;
  std::optional<Steady> next_expiry_;
  std::uint64_t last_write_ = 0;
  std::map<WriteId, Pending> pending_;
  std::map<WriteId, std::string> marking_;
};

}  // namespace millrace::inline v0::coordinator
