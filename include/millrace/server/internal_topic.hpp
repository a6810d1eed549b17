#pragma once
#include <functional>
#include <millrace/coordinator/group_requests.hpp>
#include <millrace/engine/broker_core.hpp>

namespace millrace::inline v0::server {

/// A compacted topic in which a coordinator keeps what it must not forget. Thread-safe.
class InternalTopic {
 public:
  /// Opens it, or makes it with `partitions` and `config`; an existing one keeps what it has.
  static Result<InternalTopic> open(engine::BrokerCore& broker, std::string_view name,
                                    std::int32_t partitions, const engine::ConfigMap& config);

  /// One that is there, perhaps of another process: then for reading alone.
  static InternalTopic of(engine::TopicPtr topic) { return InternalTopic(std::move(topic)); }

  std::int32_t partition_count() const noexcept {
    return static_cast<std::int32_t>(topic_->readers.size());
  }

  /// Appends the records as one batch, part of a transaction if a producer is given; the offset
  /// behind them. Not durable before wait_acknowledged().
  Result<Offset> append(PartitionId partition, std::span<const coordinator::InternalRecord> records,
                        Timestamp time,
                        std::optional<coordinator::ProducerEpoch> transaction_of = {}) const;
  const engine::PartitionPtr& partition(PartitionId id) const {
    return topic_->partitions[static_cast<std::size_t>(id)];
  }
  /// Returns when everything below `end` is as durable as the topic's flush policy says.
  Result<void> wait_acknowledged(PartitionId partition, Offset end) const;

  /// Gives every record and marker that is there to a visitor, in order within each partition. What
  /// is damaged is passed over, and told to the visitor.
  struct Visitor {
    /// With the id of the producer of whose transaction it is part, if it is part of one.
    std::function<void(Bytes key, std::optional<Bytes> value,
                       std::optional<std::int64_t> transaction_of)>
        record;
    std::function<void(PartitionId partition, std::int64_t producer_id, bool is_commit)> marker;
    std::function<void(const Error&)> damaged;
    /// What was appended, but need not be durable, is there too.
    bool sees_unflushed = false;
  };
  Result<void> read_all(const Visitor& visitor) const;

 private:
  explicit InternalTopic(engine::TopicPtr topic) : topic_(std::move(topic)) {}
  engine::TopicPtr topic_;
};

/// Appends the marker that ends a producer's transaction in a partition; the offset behind it.
Result<Offset> append_marker(engine::Partition& partition,
                             const coordinator::ProducerEpoch& producer, bool is_commit);

}  // namespace millrace::inline v0::server
