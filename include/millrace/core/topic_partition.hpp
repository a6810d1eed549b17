#pragma once
#include <millrace/core/offset.hpp>
#include <string>

namespace millrace::inline v0 {

/// One partition of one topic, by name. Ordered by topic, then by number.
struct TopicPartition {
  std::string topic;
  PartitionId partition = 0;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

}  // namespace millrace::inline v0
