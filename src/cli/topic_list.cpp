#include <fmt/format.h>

#include <memory>

#include "commands.hpp"
#include "data_directory.hpp"
#include "json_text.hpp"
#include "remote/remote_topics.hpp"
#include "standard_streams.hpp"
#include "table.hpp"

namespace millrace::inline v0::cli {
namespace {

std::string as_json(const std::vector<TopicInfo>& topics) {
  Json list = Json::array();
  for (const TopicInfo& topic : topics) {
    Json one;
    one["name"] = topic.name;
    one["partitions"] = topic.partitions;
    one["settings"] = Json::object();
    for (const auto& [name, value] : topic.settings) one["settings"][name] = value;
    list.push_back(std::move(one));
  }
  return list.dump() + "\n";
}

std::string as_table(const std::vector<TopicInfo>& topics) {
  Table table({"TOPIC", "PARTITIONS", "SETTINGS"});
  for (const TopicInfo& topic : topics) {
    std::string settings;
    for (const auto& [name, value] : topic.settings) {
      settings += fmt::format("{}{}={}", settings.empty() ? "" : " ", name, value);
    }
    table.add({topic.name, std::to_string(topic.partitions), settings});
  }
  return table.text();
}

Result<std::vector<TopicInfo>> topics_of(const Program& program) {
  if (!program.is_remote()) {
    MILLRACE_TRY(const Broker broker, open_for_reading(program.data()));
    return broker.topics();
  }
  MILLRACE_TRY(const auto cluster, client::Cluster::connect(program.bootstrap()));
  return remote::list_topics(*cluster);
}

Result<void> list(const Program& program, bool json) {
  MILLRACE_TRY(const auto topics, topics_of(program));
  Output output;
  output.buffer() = json ? as_json(topics) : as_table(topics);
  return output.flush();
}

}  // namespace

void add_topic_list(Program& program, CLI::App& topic) {
  const auto json = std::make_shared<bool>(false);
  CLI::App& command = *topic.add_subcommand("list", "List the topics");
  command.add_flag("--json", *json, "Print one JSON array");
  program.on(
      command, [&program, json] { return list(program, *json); }, WorksOn::directory_or_broker);
}

}  // namespace millrace::inline v0::cli
