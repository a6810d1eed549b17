#pragma once
#include <map>
#include <millrace/client/fetcher.hpp>
#include <millrace/partition.hpp>
#include <optional>
#include <vector>

namespace millrace::inline v0::cli::remote {

/// Asks the leaders of partitions where they begin and end, and what stands where.
class OffsetFinder {
 public:
  explicit OffsetFinder(client::Cluster& cluster) : cluster_(cluster) {}

  /// unknown_topic, unknown_partition.
  Result<Offsets> offsets(const TopicPartition& partition);
  /// Of the first record of that time or later; none if there is none.
  Result<std::optional<Offset>> find(const TopicPartition& partition, Timestamp time);

 private:
  Result<client::Fetcher*> fetcher(const std::string& topic);

  client::Cluster& cluster_;
  std::map<std::string, client::Fetcher> fetchers_;
};

/// As nobody's member. The first refusal, which names the partition.
Result<void> commit_offsets(client::Connection& coordinator, const std::string& group,
                            const std::vector<std::pair<TopicPartition, Offset>>& offsets);

}  // namespace millrace::inline v0::cli::remote
