#pragma once
#include <atomic>
#include <memory>
#include <millrace/coordinator/delayed_records.hpp>
#include <millrace/engine/partition.hpp>
#include <millrace/storage/transaction_index.hpp>
#include <mutex>
#include <optional>
#include <string>

namespace millrace::inline v0::server {

/// Delivery in one partition. Reads its log up to the last stable offset, remembers what is hidden,
/// and appends the copies of what is due. All of it in pieces on the scheduler, which may have
/// other things to do.
///
/// First it reads the log once up to its end, beyond the last stable offset too: a copy may stand
/// behind the begin of a transaction that is still open, and what has one must not get another.
class DelayedPartition final : public std::enable_shared_from_this<DelayedPartition> {
 public:
  DelayedPartition(const engine::PartitionPtr& partition, engine::Scheduler& scheduler,
                   const std::string& topic_id);
  void start();

  bool is_gone() const noexcept { return partition_.expired(); }
  bool is_of(const engine::PartitionPtr& partition) const noexcept {
    return partition_.lock() == partition;
  }

 private:
  /// What the log had when it was taken up.
  struct FirstPass {
    Offset stable_end;
    Offset end;
  };
  struct KeptFrom {
    Offset copies_end;
    Offset offset;
  };

  void post();
  void run();
  Result<void> work(engine::Partition& partition);
  Result<bool> read_on(engine::Partition& partition);
  Result<void> take(engine::Partition& partition, const storage::Chunk& chunk);
  void take_batch(const record::BatchView& batch, Offset begin, bool is_aborted);
  Result<bool> deliver_due(engine::Partition& partition);
  void let_retention_go_on(engine::Partition& partition);
  void arm(Clock::Steady when);
  void arm_for_next();

  const std::weak_ptr<engine::Partition> partition_;
  engine::Scheduler& scheduler_;
  const std::string source_;  // what marks a copy as one of a record of this partition
  std::atomic<bool> is_posted_{false};

  std::mutex mutex_;  // one piece at a time
  std::optional<FirstPass> first_pass_;
  Offset read_end_;  // what is below has been taken
  coordinator::DelayedRecords delayed_;
  Offset copies_end_;
  std::optional<KeptFrom> kept_from_;  // once the copies are durable
  std::optional<Clock::Steady> armed_;
  std::optional<Clock::Steady> retry_at_;  // after a failure; nothing is done before
};

}  // namespace millrace::inline v0::server
