#pragma once
#include <chrono>
#include <memory>
#include <millrace/core/topic_partition.hpp>
#include <millrace/engine/wake_hub.hpp>
#include <millrace/topic.hpp>
#include <optional>
#include <vector>

namespace millrace::inline v0 {

/// How a poll that found nothing waits: block, yield or spin.
using WaitStrategy = engine::WaitStrategy;

/// Where to go on when the position is not readable (any more) [auto.offset.reset].
class OffsetReset {
 public:
  static const OffsetReset earliest;  ///< at the oldest record kept
  static const OffsetReset latest;    ///< at the end
  static const OffsetReset none;      ///< nowhere: poll() answers offset_out_of_range
  /// At the first record that is no older than `age`, by the broker's clock; at the end if there is
  /// none [by_duration:PT1H].
  static constexpr OffsetReset by_duration(std::chrono::milliseconds age) {
    return {Kind::by_duration, age};
  }

  /// Given for by_duration alone.
  constexpr std::optional<std::chrono::milliseconds> age() const noexcept {
    return kind_ == Kind::by_duration ? std::optional(age_) : std::nullopt;
  }
  friend constexpr bool operator==(const OffsetReset&, const OffsetReset&) = default;

 private:
  enum class Kind : std::uint8_t { earliest, latest, none, by_duration };
  constexpr OffsetReset(Kind kind, std::chrono::milliseconds age) : kind_(kind), age_(age) {}
  Kind kind_;
  std::chrono::milliseconds age_;
};
inline constexpr OffsetReset OffsetReset::earliest{Kind::earliest, {}};
inline constexpr OffsetReset OffsetReset::latest{Kind::latest, {}};
inline constexpr OffsetReset OffsetReset::none{Kind::none, {}};

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
      1u << 20;  ///< about so many bytes a poll; one batch always [fetch.max.bytes]
  /// Most memory that the records it has given out take together, until they are destroyed. Only
  /// decompressed batches take any, the rest lies in the log's map. A batch that was given out in
  /// part counts until all of it was. While the memory is used up polls return nothing, and do not
  /// wait.
  std::size_t memory_bytes = 64u << 20;
  bool check_crc = true;  ///< check every batch that is read [check.crcs]
  WaitStrategy wait = WaitStrategy::block;
  /// Unlike in Kafka (but as in librdkafka), what was aborted is not shown unless asked for.
  /// Without transactions there is no difference.
  Isolation isolation = Isolation::read_committed;
};

/// Reads bytes from any set of partitions of a broker. For one thread at a time, interrupt() apart.
class ConsumerCore {
 public:
  /// Assigned to nothing yet.
  ConsumerCore(const Broker& broker, const ConsumerOptions& options);
  ConsumerCore(ConsumerCore&&) noexcept;
  ConsumerCore& operator=(ConsumerCore&&) noexcept;
  ~ConsumerCore();

  /// A topic whose partitions may be assigned from now on, as it is now. Those that are assigned
  /// already stay what they were.
  void follow(std::shared_ptr<const engine::TopicCore> topic);
  /// Of topics that it follows.
  Result<void> assign(const std::vector<TopicPartition>& partitions);
  std::vector<TopicPartition> assignment() const;
  Result<void> seek(const TopicPartition& partition, Offset offset);
  Result<void> seek_to_begin(const TopicPartition& partition);
  Result<void> seek_to_end(const TopicPartition& partition);
  Result<void> seek_to_time(const TopicPartition& partition, Timestamp time);
  /// To where auto_offset_reset says.
  Result<void> seek_to_reset(const TopicPartition& partition);
  Result<void> seek_by(const TopicPartition& partition, std::int64_t count);
  Result<Offset> position(const TopicPartition& partition) const;
  /// How many offsets are still to be read.
  Result<std::int64_t> lag(const TopicPartition& partition) const;
  Result<void> pause(const TopicPartition& partition);
  Result<void> resume(const TopicPartition& partition);
  /// Like pause() and resume(), and beside them: a partition is read while it is neither paused nor
  /// held.
  Result<void> hold(const TopicPartition& partition);
  Result<void> release(const TopicPartition& partition);
  Result<FetchedRecords> poll(std::chrono::nanoseconds wait);
  /// Memory that records it has given out, and batches that it has begun to, take now.
  std::size_t held_bytes() const noexcept;
  /// How many batches it has decompressed of the partitions that are assigned now.
  std::int64_t unpacked_batches() const noexcept;
  /// Whether the last poll left records out because ConsumerOptions::memory_bytes was used up.
  bool lacks_memory() const noexcept;
  /// From now on a poll that waits returns when a topic is made, grows or goes.
  void return_on_new_topics();
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
      : topic_(topic.name()), core_(topic.broker(), options) {
    core_.follow(topic.core());
    std::vector<TopicPartition> all;
    all.reserve(static_cast<std::size_t>(topic.partition_count()));
    for (PartitionId id = 0; id < topic.partition_count(); ++id) all.push_back(at(id));
    static_cast<void>(core_.assign(all));
  }

  /// Reads these partitions from now on; those it already had keep their positions, new ones start
  /// by auto_offset_reset.
  Result<void> assign(const std::vector<PartitionId>& partitions) {
    std::vector<TopicPartition> named;
    named.reserve(partitions.size());
    for (const PartitionId id : partitions) named.push_back(at(id));
    return core_.assign(named);
  }
  std::vector<PartitionId> assignment() const {
    std::vector<PartitionId> ids;
    for (const TopicPartition& assigned : core_.assignment()) ids.push_back(assigned.partition);
    return ids;
  }

  /// The next poll goes on there. Not checked before the poll.
  Result<void> seek(PartitionId partition, Offset offset) {
    return core_.seek(at(partition), offset);
  }
  Result<void> seek_to_begin(PartitionId partition) { return core_.seek_to_begin(at(partition)); }
  Result<void> seek_to_end(PartitionId partition) { return core_.seek_to_end(at(partition)); }
  /// To the first record of that time or later; to the end if there is none.
  Result<void> seek_to_time(PartitionId partition, Timestamp time) {
    return core_.seek_to_time(at(partition), time);
  }
  /// So many offsets back or on, but not beyond what is there.
  Result<void> rewind(PartitionId partition, std::int64_t count) {
    return core_.seek_by(at(partition), -count);
  }
  Result<void> skip(PartitionId partition, std::int64_t count) {
    return core_.seek_by(at(partition), count);
  }
  /// The offset of the next record.
  Result<Offset> position(PartitionId partition) const { return core_.position(at(partition)); }
  /// How many offsets are still to be read.
  Result<std::int64_t> lag(PartitionId partition) const { return core_.lag(at(partition)); }
  /// Leaves a partition out of polls without losing its position, and takes it in again.
  Result<void> pause(PartitionId partition) { return core_.pause(at(partition)); }
  Result<void> resume(PartitionId partition) { return core_.resume(at(partition)); }

  /// The next records, in order per partition, or none if nothing came within `wait`, interrupt()
  /// was called, or memory_bytes is used up: all are values, not errors. Moves the positions behind
  /// what it returns. Errors: corrupt_data, with topic, partition and the offsets that cannot be
  /// read: the position stays, so seek to error.offsets().end to go on; the same for a batch that
  /// does not fit into ConsumerOptions::memory_bytes; offset_out_of_range with OffsetReset::none;
  /// closed.
  Result<Records<K, V>> poll(std::chrono::nanoseconds wait) {
    MILLRACE_TRY(auto fetched, core_.poll(wait));
    return Records<K, V>(std::move(fetched));
  }
  /// Makes a poll that waits, or the next one, return at once. From any thread.
  void interrupt() noexcept { core_.interrupt(); }

 private:
  TopicPartition at(PartitionId partition) const { return {topic_, partition}; }

  std::string topic_;
  ConsumerCore core_;
};

}  // namespace millrace::inline v0
