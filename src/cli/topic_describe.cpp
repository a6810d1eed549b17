#include <fmt/format.h>

#include <memory>
#include <millrace/engine/partition.hpp>
#include <millrace/engine/topic_config.hpp>

#include "commands.hpp"
#include "data_directory.hpp"
#include "json_text.hpp"
#include "settings.hpp"
#include "standard_streams.hpp"
#include "table.hpp"

namespace millrace::inline v0::cli {
namespace {

struct PartitionRow {
  PartitionId id;
  Offsets offsets;
  std::uint64_t bytes;
};

struct Description {
  std::string name;
  std::vector<PartitionRow> partitions;
  std::vector<engine::ConfigEntry> settings;
};

/// Of batches, not of the blocks reserved ahead of them.
Result<std::uint64_t> bytes_of(storage::SegmentSource& source) {
  MILLRACE_TRY(const auto list, source.segments());
  const Offset active{source.control().active_base_offset.load(std::memory_order_acquire)};
  std::uint64_t bytes = 0;
  for (const auto& segment : list->segments) {
    if (segment->base_offset() == active) {
      bytes += source.control().active_end.load(std::memory_order_acquire);
    } else if (const auto sealed = segment->file_bytes()) {
      bytes += *sealed;  // one that retention has just removed counts no more
    }
  }
  return bytes;
}

Result<Description> look_at(const Broker& broker, const std::string& name) {
  MILLRACE_TRY(const auto topic, find_topic(broker, name));
  MILLRACE_TRY(const TopicInfo info, broker.describe_topic(name));
  Description description{name, {}, engine::describe_topic_config(info.settings)};
  for (PartitionId id = 0; id < topic.partition_count(); ++id) {
    MILLRACE_TRY(const auto partition, topic.partition(id));
    MILLRACE_TRY(const std::uint64_t bytes, bytes_of(partition.handle().reader()->source()));
    description.partitions.push_back({id, partition.offsets(), bytes});
  }
  return description;
}

std::string as_json(const Description& topic) {
  Json one;
  one["name"] = topic.name;
  one["partitions"] = Json::array();
  for (const PartitionRow& row : topic.partitions) {
    one["partitions"].push_back({{"partition", row.id},
                                 {"start_offset", row.offsets.start.value()},
                                 {"end_offset", row.offsets.end.value()},
                                 {"bytes", row.bytes}});
  }
  one["settings"] = Json::array();
  for (const engine::ConfigEntry& entry : topic.settings) {
    one["settings"].push_back({{"name", entry.name},
                               {"value", entry.value},
                               {"is_default", entry.is_default},
                               {"help", entry.help}});
  }
  return one.dump() + "\n";
}

std::string as_text(const Description& topic) {
  Table partitions({"PARTITION", "START", "END", "BYTES"});
  for (const PartitionRow& row : topic.partitions) {
    partitions.add({std::to_string(row.id), std::to_string(row.offsets.start.value()),
                    std::to_string(row.offsets.end.value()), std::to_string(row.bytes)});
  }
  Table settings({"SETTING", "VALUE", "FROM", "MEANING"});
  for (const engine::ConfigEntry& entry : topic.settings) {
    settings.add(
        {entry.name, entry.value, entry.is_default ? "default" : "topic", std::string(entry.help)});
  }
  return fmt::format("topic {}, {} partition{}\n\n{}\n{}", topic.name, topic.partitions.size(),
                     topic.partitions.size() == 1 ? "" : "s", partitions.text(), settings.text());
}

Result<void> describe(const Program& program, const std::string& name, bool json) {
  MILLRACE_TRY(const Broker broker, open_for_reading(program.data()));
  MILLRACE_TRY(const Description description, look_at(broker, name));
  Output output;
  output.buffer() = json ? as_json(description) : as_text(description);
  return output.flush();
}

}  // namespace

void add_topic_describe(Program& program, CLI::App& topic) {
  struct Options {
    std::string name;
    bool json = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App& command = *topic.add_subcommand(
      "describe", "Show a topic's partitions with their offsets and bytes, and all its settings");
  command.add_option("NAME", options->name, "The topic")->required()->check(topic_name());
  command.add_flag("--json", options->json, "Print one JSON object");
  program.on(command,
             [&program, options] { return describe(program, options->name, options->json); });
}

}  // namespace millrace::inline v0::cli
