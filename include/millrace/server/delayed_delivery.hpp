#pragma once
#include <memory>
#include <millrace/engine/broker_core.hpp>
#include <mutex>
#include <vector>

namespace millrace::inline v0::server {

class DelayedPartition;

/// Delivers the delayed records of a broker: when the time of one has come, a copy is appended to
/// its partition, which readers see. Works on the broker's schedule. Thread-safe.
///
/// What is still to be delivered is what the log has of hidden records, less those of which it has
/// copies: nothing else is kept, so there is nothing that could disagree with the log after a
/// crash. docs/delayed_records.md has the rules.
class DelayedDelivery final : public engine::BrokerService {
 public:
  /// Takes up the partitions of all topics with the setting, from where their logs say that
  /// delivery stands. To be called after opening, and when a topic may have become one of them; no
  /// effect on those that are taken up already, on an attachment, and if there are none.
  static Result<void> start(engine::BrokerCore& broker);

  ~DelayedDelivery() override;

 private:
  void take_up(engine::BrokerCore& broker, const std::vector<engine::TopicPtr>& topics);

  std::mutex mutex_;
  std::vector<std::shared_ptr<DelayedPartition>> partitions_;
};

}  // namespace millrace::inline v0::server
