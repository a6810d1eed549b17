#pragma once
#include <map>
#include <memory>
#include <millrace/coordinator/group_coordinator.hpp>
#include <millrace/coordinator/transaction_coordinator.hpp>
#include <millrace/record/batch_builder.hpp>
#include <millrace/storage/producer_state.hpp>
#include <random>

#include "support/transaction_history.hpp"

namespace millrace_test {

namespace coordinator = millrace::coordinator;
using coordinator::ProducerEpoch;
using coordinator::Token;
using coordinator::TopicPartition;

/// What may go wrong on purpose in a TransactionModel, to see that its checker notices.
enum class TransactionSabotage {
  none,
  decide_unsynced,      ///< a marker that decides is taken for durable when it is appended
  forget_ends,          ///< where the data of a commit ends is not known after a restart
  commit_unsynced,      ///< its records are not made durable before it is decided
  forget_offsets,       ///< offsets are not part of the transaction
  drop_marker,          ///< a partition's marker is taken for written
  read_aborted,         ///< readers do not leave out what was aborted
  swap_reads,           ///< a reader gives two records the wrong way round
  forget_group_marker,  ///< after a restart transactional offsets never count
};

/// A log as a transaction sees it: batches of which a first part is durable, and what they say of
/// their producers. A machine that loses its power keeps the durable ones, and any number of those
/// behind.
class ModelLog {
 public:
  using Bytes = std::vector<std::byte>;

  millrace::Result<void> append(Bytes batch, millrace::storage::AppendOrigin origin);
  void sync();
  millrace::Offset end() const noexcept { return end_; }
  std::size_t size() const noexcept { return batches_.size(); }
  std::size_t durable() const noexcept { return durable_; }
  /// Makes everything before the batch with that index durable.
  void sync_to(std::size_t end);
  void cut(std::size_t size);
  std::vector<millrace::storage::ProducerSummary> open() const {
    return state_.open_transactions();
  }
  millrace::record::BatchView at(std::size_t index) const;
  /// How many batches a reader of committed records may see.
  std::size_t stable_size() const;
  bool is_aborted(std::size_t index) const;

 private:
  std::vector<Bytes> batches_;
  std::size_t durable_ = 0;
  millrace::Offset end_;
  millrace::storage::ProducerState state_;
  std::vector<millrace::storage::AbortedTransaction> aborted_;
};

/// Random producers of transactions against coordinators and logs, on a clock and disks of their
/// own: each reads an input of its own, writes to any partition, and commits what it has read with
/// what it has written. One program instead has its progress in what it has written, in a single
/// partition. Instances die, come back while the old one goes on, dawdle; writes fail;
/// the machine is killed or loses its power. history() is what HistoryChecker judges.
class TransactionModel {
 public:
  /// Every other seed has topics that leave flushing to the operating system, on a machine that
  /// never loses its power.
  explicit TransactionModel(std::uint64_t seed,
                            TransactionSabotage sabotage = TransactionSabotage::none);
  /// `steps` random steps, then nothing goes wrong any more and everything is read.
  void run(int steps);
  const millrace::test::History& history() const noexcept { return history_; }
  int commits() const noexcept { return commits_; }

 private:
  enum class Phase { closed, opening, idle, sending, admitting, offsets, ending, over };
  /// An instance of a program with a transactional id.
  struct Client {
    int program = 0;
    Phase phase = Phase::closed;
    ProducerEpoch producer;
    std::int64_t transaction = 0;
    std::int64_t next_input = 0;
    int left_to_send = 0;
    bool failed = false;
    bool has_sent_offsets = false;
    bool commits = true;
    std::set<TopicPartition> admitted;
    std::map<TopicPartition, std::int32_t> sequences;
    std::optional<Token> waits_for;
  };
  using Kind = millrace::test::HistoryEntry::Kind;

  int roll(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }
  coordinator::Group::Now now() const;
  void note(Kind kind, std::int64_t transaction, std::string partition, std::int64_t value);
  void make_coordinators();
  void crash();
  void recover();
  void abort_unknown();
  void step();
  void drive(Client& client);
  void begin(Client& client);
  void send(Client& client);
  void admit(Client& client, const TopicPartition& partition);
  void send_offsets(Client& client);
  void end(Client& client);
  void answered(Client& client, const millrace::Result<void>& answer);
  Client* waiting_for(Token token);
  void run_event(const std::function<void(Token, coordinator::TransactionActions&)>& event,
                 Client* waits);
  void take(coordinator::TransactionActions actions);
  void take(coordinator::GroupActions actions);
  void end_write();
  void end_group_write();
  void write_markers();
  void write_state(const coordinator::InternalRecord& record);
  void write_late();
  millrace::Result<void> append_marker(const TopicPartition& partition,
                                       const coordinator::MarkersToWrite& marker);
  bool write_marker(const TopicPartition& partition, const coordinator::MarkersToWrite& marker);
  void start_deciding(const coordinator::MarkersToWrite& marker);
  void end_deciding();
  void read_some();
  void pass(int milliseconds);
  millrace::Result<void> append(const TopicPartition& partition, ModelLog::Bytes batch,
                                millrace::storage::AppendOrigin origin);
  void observe(int program);
  std::optional<std::int64_t> next_input(int program);

  struct Write {
    coordinator::TransactionWrite write;
    std::size_t end;  ///< behind its batch
  };
  struct Deciding {
    coordinator::WriteId id;
    TopicPartition partition;
    std::size_t end;  ///< behind the marker
  };
  struct GroupWrite {
    coordinator::WriteId id;
    std::size_t end;
  };

  std::mt19937_64 random_;
  const TransactionSabotage sabotage_;
  const bool by_os_;
  std::int64_t milliseconds_ = 0;
  std::uint64_t last_token_ = 0;
  std::int64_t last_producer_ = 0;
  std::int64_t last_transaction_ = 0;
  bool faults_ = true;
  int commits_ = 0;
  std::unique_ptr<coordinator::TransactionCoordinator> transactions_;
  std::unique_ptr<coordinator::GroupCoordinator> groups_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<Write> writes_;
  std::map<std::string, coordinator::InternalRecord> late_;
  std::vector<Deciding> deciding_;
  std::vector<GroupWrite> group_writes_;
  std::vector<coordinator::MarkersToWrite> markers_;
  std::map<TopicPartition, ModelLog> logs_;
  std::map<TopicPartition, std::size_t> positions_;
  ModelLog transaction_log_;
  millrace::test::History history_;
};

}  // namespace millrace_test
