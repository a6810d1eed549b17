#pragma once
#include <chrono>
#include <memory>
#include <millrace/engine/wake_hub.hpp>
#include <millrace/topic.hpp>
#include <vector>

namespace millrace::inline v0 {

/// How a poll that found nothing waits: block, yield or spin.
using WaitStrategy = engine::WaitStrategy;

/// Where to go on when the position is not readable (any more) [auto.offset.reset].
enum class OffsetReset : std::uint8_t {
  earliest,  ///< at the oldest record kept
  latest,    ///< at the end
  none,      ///< nowhere: poll() answers offset_out_of_range
};

/// Which records of transactions a consumer sees [isolation.level].
enum class Isolation : std::uint8_t {
  /// Those of committed ones. Reading ends where the first one begins that is still open.
  read_committed,
  /// All, as soon as they are there.
  read_uncommitted,
};

/// Names in brackets are Kafka's.
struct ConsumerOptions {
  /// Where assign() starts, and what to do when retention passed the consumer over
  /// [auto.offset.reset]. Unlike Kafka's default (latest), nothing that is there is left out.
  OffsetReset auto_offset_reset = OffsetReset::earliest;
  std::int32_t max_records = 500;  ///< at most so many records a poll [max.poll.records]
  std::size_t max_bytes =
      1u << 20;           ///< about so many bytes a poll; one batch always [fetch.max.bytes]
  bool check_crc = true;  ///< check every batch that is read [check.crcs]
  WaitStrategy wait = WaitStrategy::block;
  /// Unlike in Kafka (but as in librdkafka), what was aborted is not shown unless asked for.
  /// Without transactions there is no difference.
  Isolation isolation = Isolation::read_committed;
};

/// Reads bytes from any set of partitions of a broker. For one thread at a time, interrupt() apart.
class ConsumerCore {
 public:
  ConsumerCore(const Broker& broker, std::shared_ptr<const engine::TopicCore> topic,
               const ConsumerOptions& options);
  ConsumerCore(ConsumerCore&&) noexcept;
  ConsumerCore& operator=(ConsumerCore&&) noexcept;
  ~ConsumerCore();

  Result<void> assign(const std::vector<PartitionId>& partitions);
  /// The same topic as it is now, perhaps with more partitions, which are not assigned.
  void follow(std::shared_ptr<const engine::TopicCore> topic);
  std::vector<PartitionId> assignment() const;
  Result<void> seek(PartitionId partition, Offset offset);
  Result<void> seek_to_begin(PartitionId partition);
  Result<void> seek_to_end(PartitionId partition);
  Result<void> seek_to_time(PartitionId partition, Timestamp time);
  Result<Offset> position(PartitionId partition) const;
  Result<void> pause(PartitionId partition);
  Result<void> resume(PartitionId partition);
  Result<FetchedRecords> poll(std::chrono::nanoseconds wait);
  void interrupt() noexcept;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

/// Reads typed records from partitions of a topic, at positions of its own. For one thread at a
/// time; interrupt() from any. A partition number that is not assigned is unknown_partition.
template <typename K, typename V>
class Consumer {
 public:
  /// Assigned to all partitions; assign() narrows it down.
  explicit Consumer(const Topic<K, V>& topic, const ConsumerOptions& options = {})
      : core_(topic.broker(), topic.core(), options) {}

  /// Reads these partitions from now on; those it already had keep their positions, new ones start
  /// by auto_offset_reset.
  Result<void> assign(const std::vector<PartitionId>& partitions) {
    return core_.assign(partitions);
  }
  std::vector<PartitionId> assignment() const { return core_.assignment(); }

  /// The next poll goes on there. Not checked before the poll.
  Result<void> seek(PartitionId partition, Offset offset) { return core_.seek(partition, offset); }
  Result<void> seek_to_begin(PartitionId partition) { return core_.seek_to_begin(partition); }
  Result<void> seek_to_end(PartitionId partition) { return core_.seek_to_end(partition); }
  /// To the first record of that time or later; to the end if there is none.
  Result<void> seek_to_time(PartitionId partition, Timestamp time) {
    return core_.seek_to_time(partition, time);
  }
  /// The offset of the next record.
  Result<Offset> position(PartitionId partition) const { return core_.position(partition); }
  /// Leaves a partition out of polls without losing its position, and takes it in again.
  Result<void> pause(PartitionId partition) { return core_.pause(partition); }
  Result<void> resume(PartitionId partition) { return core_.resume(partition); }

  /// The next records, in order per partition, or none if nothing came within `wait` or interrupt()
  /// was called: both are values, not errors. Moves the positions behind what it returns. Errors:
  /// corrupt_data, with topic, partition and the offsets that cannot be read: the position stays,
  /// so seek to error.offsets().end to go on; offset_out_of_range with OffsetReset::none; closed.
  Result<Records<K, V>> poll(std::chrono::nanoseconds wait) {
    MILLRACE_TRY(auto fetched, core_.poll(wait));
    return Records<K, V>(std::move(fetched));
  }
  /// Makes a poll that waits, or the next one, return at once. From any thread.
  void interrupt() noexcept { core_.interrupt(); }

 private:
  ConsumerCore core_;
};

}  // namespace millrace::inline v0
