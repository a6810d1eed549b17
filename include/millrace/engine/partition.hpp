#pragma once
#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <millrace/core/topic_partition.hpp>
#include <millrace/engine/group_commit.hpp>
#include <millrace/engine/scheduler.hpp>
#include <millrace/engine/topic_config.hpp>
#include <millrace/engine/wake_hub.hpp>
#include <millrace/storage/log.hpp>
#include <string>

namespace millrace::inline v0::engine {

/// What every partition gives to readers, ours or another process's. Thread-safe.
class PartitionReader {
 public:
  explicit PartitionReader(TopicPartition name) : name_(std::move(name)) {}
  virtual ~PartitionReader() = default;
  /// Stays where it is as long as the reader.
  const TopicPartition& name() const noexcept { return name_; }
  const std::string& topic() const noexcept { return name_.topic; }
  PartitionId id() const noexcept { return name_.partition; }
  virtual storage::SegmentSource& source() noexcept = 0;
  /// Readers see offsets below.
  virtual Offset visible_end() const noexcept = 0;
  /// Behind what was appended, whether or not readers see it yet.
  virtual Offset written_end() const noexcept = 0;
  /// Readers of committed records see offsets below: the last stable offset.
  Offset stable_end() noexcept {
    // In this order: a transaction that the high watermark lets through is known by then.
    const Offset readable = visible_end();
    const auto& unstable = source().control().first_unstable_offset;
    return std::min(readable, Offset{unstable.load(std::memory_order_acquire)});
  }
  /// Whether readers leave out records that ask to be seen later.
  bool delays() noexcept { return source().control().delayed.load(std::memory_order_relaxed) != 0; }
  Offset log_start_offset() noexcept {
    return Offset{source().control().log_start_offset.load(std::memory_order_acquire)};
  }
  /// Where a reader about to sleep leaves its mark; null if we may not write there.
  virtual storage::ControlBlock* wake_flag() noexcept = 0;

 private:
  const TopicPartition name_;
};

/// A partition of this process: its log, its flush policy, its waiters. Thread-safe.
class Partition final : public PartitionReader, public std::enable_shared_from_this<Partition> {
 public:
  Partition(std::string topic, PartitionId id, std::unique_ptr<storage::Log> log,
            TopicConfig config, Scheduler& scheduler, const WakeHub& hub);

  storage::SegmentSource& source() noexcept override { return *log_; }
  Offset visible_end() const noexcept override { return log_->high_watermark(); }
  Offset written_end() const noexcept override { return log_->log_end_offset(); }
  storage::ControlBlock* wake_flag() noexcept override { return &log_->mutable_control(); }

  storage::Log& log() noexcept { return *log_; }
  TopicConfig config() const;
  /// Replaces all but the flush policy.
  void set_config(TopicConfig config);
  /// Replaces the flush policy from the next append on; everything before is flushed.
  Result<void> set_flush_policy(FlushPolicyPtr policy);
  const Clock& clock() const noexcept { return scheduler_.clock(); }
  bool flushes_before_ack() const noexcept { return before_ack_.load(std::memory_order_relaxed); }

  /// Stores a batch. With flush before ack it is neither durable nor visible until
  /// wait_acknowledged(); otherwise visible at once. Errors name the topic-partition.
  Result<storage::Appended> append(MutableBytes batch,
                                   storage::AppendOrigin origin = storage::AppendOrigin::producer);
  /// The same for one record.
  Result<storage::Appended> append_record(Timestamp time, std::optional<Bytes> key,
                                          std::optional<Bytes> value,
                                          std::span<const record::HeaderView> headers);
  /// Returns when the policy acknowledges everything below `end`: whether that means durable.
  Result<bool> wait_acknowledged(Offset end);
  /// Makes everything durable now, whatever the policy.
  Result<void> flush();

  /// Has `watcher` called whenever readers may see more than before: on any thread, so it must be
  /// quick, and must not call the partition. It stays as long as the partition.
  void watch(std::function<void()> watcher);

  /// Retention, compaction and removal of files.
  Result<void> clean();
  /// The same, for the schedule, which hears of a failure.
  void clean_task();
  Result<void> close();

 private:
  void after_append(const storage::Appended& appended);
  void tell_readers();
  void arm_flush();
  void post(void (Partition::*task)());
  void prepare_task();
  void snapshot_task();
  void flush_sealed_task();
  void interval_task();
  void report(const Result<void>& done) const;
  Error located(const Error& error) const { return error.at(topic(), id()); }

  std::unique_ptr<storage::Log> log_;
  Scheduler& scheduler_;
  const WakeHub& hub_;
  GroupCommit commit_;

  mutable std::mutex config_mutex_;
  TopicConfig config_;
  std::vector<FlushPolicyPtr> policies_;  // all there ever were: appenders may be in an old one
  std::atomic<const FlushPolicyBase*> policy_;
  std::atomic<bool> before_ack_;
  std::atomic<bool> timed_;  // the policy has an interval
  using Watchers = std::vector<std::function<void()>>;
  std::vector<std::unique_ptr<const Watchers>> watchers_;  // all there ever were, as above
  std::atomic<const Watchers*> watching_{nullptr};
  std::atomic<bool> flush_armed_{false};
  std::atomic<bool> prepare_posted_{false};
  std::atomic<bool> snapshot_posted_{false};
};

using PartitionPtr = std::shared_ptr<Partition>;

}  // namespace millrace::inline v0::engine
