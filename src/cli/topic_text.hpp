#pragma once
#include <millrace/engine/topic_config.hpp>
#include <millrace/partition.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::cli {

/// What the program shows of a topic.
struct TopicDescription {
  struct Row {
    PartitionId id = 0;
    Offsets offsets;
    std::uint64_t bytes = 0;
  };
  std::string name;
  std::vector<Row> partitions;
  std::vector<engine::ConfigEntry> settings;
};

std::string describe_as_text(const TopicDescription& topic);
std::string describe_as_json(const TopicDescription& topic);

}  // namespace millrace::inline v0::cli
