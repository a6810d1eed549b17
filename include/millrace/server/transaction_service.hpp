#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <millrace/coordinator/group_coordinator.hpp>
#include <millrace/coordinator/transaction_coordinator.hpp>
#include <millrace/server/internal_topic.hpp>
#include <mutex>
#include <set>

namespace millrace::inline v0::server {

struct TransactionServiceOptions {
  coordinator::TransactionCoordinatorOptions coordinator = {};
  /// Of a new __transaction_state [transaction.state.log.num.partitions]; Kafka: 50.
  std::int32_t partitions = 4;
};

/// As long as it lives, the transaction that was held is not ended by its producer.
using TransactionHold = std::shared_ptr<const void>;

/// The transactions of a broker: runs the coordinator, keeps its records in __transaction_state,
/// writes its markers, and is its clock. Thread-safe. Calls return when what they ask for is
/// durable, and do the work for it on the caller's thread.
class TransactionService final : public engine::BrokerService,
                                 public std::enable_shared_from_this<TransactionService> {
 public:
  /// The one service of this broker. When it is first asked for, transactions that were decided are
  /// finished, and those that were not are aborted: whoever began them is gone. If that cannot be
  /// written, there is no service yet, for what is open would become part of new transactions; ask
  /// again.
  static Result<std::shared_ptr<TransactionService>> of(
      engine::BrokerCore& broker, const TransactionServiceOptions& options = {});
  /// Does that if the directory has seen any transaction.
  static Result<void> recover(engine::BrokerCore& broker);

  /// The producer of a new instance; the one before it is fenced, and what it had begun aborted.
  Result<coordinator::ProducerEpoch> init_producer(const coordinator::InitProducerRequest& request);
  /// To be called before the first record of a transaction goes to these partitions.
  Result<void> add_partitions(const coordinator::TransactionalProducerId& from,
                              const std::vector<coordinator::TopicPartition>& partitions);
  /// Whether records may go to this partition as part of the producer's transaction (KIP-890). For
  /// those who cannot be sure that its producer waits for them before it ends it: what came behind
  /// the end would stay open. To be kept until the records are appended, and no longer.
  /// invalid_transaction_state, producer_fenced, unknown_transactional_id; concurrent_transactions
  /// once the end has begun.
  Result<TransactionHold> hold(const coordinator::TransactionalProducerId& from,
                               const coordinator::TopicPartition& partition);
  /// To be called before the first offsets of a group are committed within the transaction.
  Result<void> add_offsets(const coordinator::TransactionalProducerId& from,
                           const std::string& group);
  /// Commits offsets of a group that was added. invalid_transaction_state if it was not.
  Result<void> commit_added_offsets(const coordinator::TransactionalProducerId& from,
                                    const coordinator::CommitRequest& request);
  /// Does both.
  Result<void> commit_offsets(const coordinator::TransactionalProducerId& from,
                              const coordinator::CommitRequest& request);
  /// Ends the transaction, to the partitions of which everything was handed before. Waits for those
  /// who hold it; the caller must not be one of them. The outcome is durable in all partitions if
  /// any one flushes before it acknowledges, else as durable as they are. If markers cannot be
  /// written now, the outcome stands, and they are written later.
  Result<void> end(const coordinator::TransactionalProducerId& from, bool is_commit);
  /// Takes a transaction from its producer and aborts it.
  Result<void> abort(const std::string& transactional_id);

  /// Writes what it has put off.
  void close() override;

  /// Lets `look` see all transactions, with the coordinator held still.
  void look(const std::function<void(const coordinator::TransactionCoordinator&)>& look);

 private:
  using Actions = coordinator::TransactionActions;
  using Event = std::function<void(coordinator::Token, Actions&)>;
  using Marked = std::pair<coordinator::WriteId, std::vector<coordinator::TopicPartition>>;
  struct Started {
    coordinator::WriteId id = {};
    PartitionId partition = 0;
    Offset durable_end = {};  ///< behind what has to be durable
  };
  struct Work {
    std::vector<Started> writes;
    std::vector<coordinator::MarkersToWrite> markers;
    bool empty() const noexcept { return writes.empty() && markers.empty(); }
  };
  template <typename Reply>
  using Waiters = std::map<coordinator::Token, std::function<void(Reply)>>;

  TransactionService(engine::BrokerCore& broker, const TransactionServiceOptions& options,
                     InternalTopic topic);
  Result<void> load();
  Result<void> start();
  Result<void> abort_unknown();
  coordinator::TransactionCoordinator::Now now() const;
  void run(const std::function<void(Actions&)>& event);
  Result<void> wait_for(const Event& event);
  void settle(Actions actions, Work work);
  Work take_work(Actions& actions);
  void append(const coordinator::TransactionWrite& write, Actions& actions, Work& work);
  void write_later(const coordinator::TransactionWrite& write);
  void arm_late_writes(std::chrono::milliseconds wait);
  void late_writes_task();
  Result<void> write_late();
  PartitionId partition_of(std::string_view transactional_id) const noexcept;
  std::vector<coordinator::TopicPartition> write_markers(
      const coordinator::MarkersToWrite& markers);
  Result<void> write_marker(const coordinator::TopicPartition& place,
                            const coordinator::MarkersToWrite& marker);
  Result<void> write_decision(const coordinator::MarkersToWrite& marker);
  TransactionHold stop_holds(const coordinator::TransactionalProducerId& from);
  Result<void> plan_commit(coordinator::EndTransactionRequest& request);
  void deliver(Actions& actions);
  void arm_timer();
  void timer_task(Clock::Steady due);

  engine::BrokerCore& broker_;
  const InternalTopic topic_;
  std::mutex start_mutex_;
  bool is_resumed_ = false;  // what it knew was loaded
  bool is_started_ = false;
  std::mutex mutex_;
  coordinator::TransactionCoordinator coordinator_;
  std::uint64_t last_token_ = 0;
  std::multiset<std::string> held_;    // transactional ids, one for each hold
  std::multiset<std::string> ending_;  // those that must not be held any more
  std::condition_variable released_;
  Waiters<coordinator::InitProducerReply> inits_;
  Waiters<coordinator::TransactionReply> replies_;
  std::optional<Clock::Steady> armed_;
  std::map<std::string, coordinator::InternalRecord> late_;  // by transactional id
  bool late_writes_armed_ = false;
};

}  // namespace millrace::inline v0::server
