#include <memory>
#include <millrace/engine/partition.hpp>

#include "commands.hpp"
#include "data_directory.hpp"
#include "remote/remote_topics.hpp"
#include "settings.hpp"
#include "standard_streams.hpp"

namespace millrace::inline v0::cli {
namespace {

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

Result<TopicDescription> look_at(const Broker& broker, const std::string& name) {
  MILLRACE_TRY(const auto topic, find_topic(broker, name));
  MILLRACE_TRY(const TopicInfo info, broker.describe_topic(name));
  TopicDescription description{name, {}, engine::describe_topic_config(info.settings)};
  for (PartitionId id = 0; id < topic.partition_count(); ++id) {
    MILLRACE_TRY(const auto partition, topic.partition(id));
    MILLRACE_TRY(const std::uint64_t bytes, bytes_of(partition.handle().reader()->source()));
    description.partitions.push_back({id, partition.offsets(), bytes});
  }
  return description;
}

Result<TopicDescription> look_at(const Program& program, const std::string& name) {
  if (!program.is_remote()) {
    MILLRACE_TRY(const Broker broker, open_for_reading(program.data()));
    return look_at(broker, name);
  }
  MILLRACE_TRY(const auto cluster, client::Cluster::connect(program.bootstrap()));
  return remote::describe_topic(*cluster, name);
}

Result<void> describe(const Program& program, const std::string& name, bool json) {
  MILLRACE_TRY(const TopicDescription description, look_at(program, name));
  Output output;
  output.buffer() = json ? describe_as_json(description) : describe_as_text(description);
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
  program.on(
      command, [&program, options] { return describe(program, options->name, options->json); },
      WorksOn::directory_or_broker);
}

}  // namespace millrace::inline v0::cli
