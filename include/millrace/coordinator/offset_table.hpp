#pragma once
#include <map>
#include <millrace/coordinator/group_requests.hpp>
#include <millrace/coordinator/topic_partition.hpp>
#include <millrace/core/clock.hpp>

namespace millrace::inline v0::coordinator {

/// Where a group goes on in a partition, as somebody committed it.
struct CommittedOffset {
  Offset offset;  ///< of the next record to be read
  LeaderEpoch leader_epoch = LeaderEpoch::unknown;
  std::string metadata;
  Timestamp commit_time = Timestamp::none();
  std::optional<Timestamp> expire_time;  ///< only from clients older than KIP-211
};

/// Committed offsets of one group. Commits may end in another order than they began in: the one
/// that was written last counts. Not thread-safe.
class OffsetTable {
 public:
  struct Entry {
    CommittedOffset committed;
    std::uint64_t order = 0;  ///< of its record in the log
  };
  using Partitions = std::map<PartitionId, Entry>;
  using Topics = std::map<std::string, Partitions, std::less<>>;

  /// `order` goes up from write to write.
  void apply(std::string_view topic, PartitionId partition, CommittedOffset committed,
             std::uint64_t order);
  void erase(std::string_view topic, PartitionId partition);
  /// Null if there is none.
  const CommittedOffset* find(std::string_view topic, PartitionId partition) const;
  const Topics& topics() const noexcept { return topics_; }
  bool empty() const noexcept { return topics_.empty(); }
  /// Partitions for which `is_over` holds; they stay until erased.
  template <typename Predicate>
  std::vector<TopicPartition> find_if(Predicate is_over) const {
    std::vector<TopicPartition> found;
    for (const auto& [topic, partitions] : topics_) {
      for (const auto& [partition, entry] : partitions) {
        if (is_over(topic, entry.committed)) found.push_back({topic, partition});
      }
    }
    return found;
  }

 private:
  Topics topics_;
};

}  // namespace millrace::inline v0::coordinator
