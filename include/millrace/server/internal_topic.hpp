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
    return static_cast<std::int32_t>(topic_->partitions.size());
  }

  /// Appends the records as one batch; the offset behind them. Not durable before
  /// wait_acknowledged().
  Result<Offset> append(PartitionId partition, std::span<const coordinator::InternalRecord> records,
                        Timestamp time) const;
  /// Returns when everything below `end` is as durable as the topic's flush policy says.
  Result<void> wait_acknowledged(PartitionId partition, Offset end) const;

  /// Gives every record that is there to `visit`, in order within each partition. What is damaged
  /// is passed over, and told to `damaged`.
  using Visitor = std::function<void(Bytes key, std::optional<Bytes> value)>;
  using DamageHandler = std::function<void(const Error&)>;
  Result<void> read_all(const Visitor& visit, const DamageHandler& damaged) const;

 private:
  explicit InternalTopic(engine::TopicPtr topic) : topic_(std::move(topic)) {}
  engine::TopicPtr topic_;
};

}  // namespace millrace::inline v0::server
