#pragma once
#include <millrace/broker.hpp>
#include <millrace/partition.hpp>

namespace millrace::inline v0 {

namespace detail {
const std::string& topic_name_of(const engine::TopicCore& topic) noexcept;
std::int32_t partition_count_of(const engine::TopicCore& topic) noexcept;
Result<PartitionHandle> partition_of(const std::shared_ptr<engine::BrokerCore>& broker,
                                     const engine::TopicCore& topic, PartitionId id);
}  // namespace detail

/// A topic with keys K and values V: a typed view of its partitions, nothing more. A cheap handle;
/// thread-safe.
template <typename K, typename V>
class Topic {
  static_assert(TopicType<K>, "the key type of a topic needs a Serde, see millrace/serde.hpp");
  static_assert(TopicType<V>, "the value type of a topic needs a Serde, see millrace/serde.hpp");

 public:
  using key_type = K;
  using value_type = V;

  Topic(Broker broker, std::shared_ptr<const engine::TopicCore> core)
      : broker_(std::move(broker)), core_(std::move(core)) {}

  const std::string& name() const noexcept { return detail::topic_name_of(*core_); }
  std::int32_t partition_count() const noexcept { return detail::partition_count_of(*core_); }
  /// unknown_partition if `id` is not in [0, partition_count()).
  Result<Partition<K, V>> partition(PartitionId id) const {
    MILLRACE_TRY(auto handle, detail::partition_of(broker_.core(), *core_, id));
    return Partition<K, V>(std::move(handle));
  }

  const Broker& broker() const noexcept { return broker_; }
  const std::shared_ptr<const engine::TopicCore>& core() const noexcept { return core_; }

 private:
  Broker broker_;
  std::shared_ptr<const engine::TopicCore> core_;
};

}  // namespace millrace::inline v0
