#include "coordinator/partition_lists.hpp"

#include <map>
#include <string_view>
#include <utility>

namespace millrace::inline v0::coordinator {

void write_partitions(protocol::WireWriter& writer, std::span<const TopicPartition> partitions) {
  std::vector<std::pair<std::string_view, std::vector<PartitionId>>> by_topic;
  std::map<std::string_view, std::size_t> places;
  for (const TopicPartition& each : partitions) {
    const auto [place, is_new] = places.try_emplace(each.topic, by_topic.size());
    if (is_new) by_topic.emplace_back(each.topic, std::vector<PartitionId>());
    by_topic[place->second].second.push_back(each.partition);
  }
  writer.array_count(by_topic.size());
  for (const auto& [topic, numbers] : by_topic) {
    writer.string(topic);
    writer.array_count(numbers.size());
    for (const PartitionId number : numbers) writer.int32(number);
  }
}

std::vector<TopicPartition> read_partitions(protocol::WireReader& reader) {
  constexpr std::size_t least_topic_bytes = 6;  // two lengths, both empty
  std::vector<TopicPartition> partitions;
  for (std::size_t topics = reader.array_count(least_topic_bytes); topics > 0; --topics) {
    const std::string_view topic = reader.string();
    for (std::size_t left = reader.array_count(sizeof(PartitionId)); left > 0; --left)
      partitions.push_back({std::string(topic), reader.int32()});
  }
  return partitions;
}

}  // namespace millrace::inline v0::coordinator
