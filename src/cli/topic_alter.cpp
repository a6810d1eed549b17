#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <millrace/engine/topic_config.hpp>

#include "commands.hpp"
#include "data_directory.hpp"
#include "remote/remote_topics.hpp"
#include "settings.hpp"

namespace millrace::inline v0::cli {
namespace {

struct Options {
  std::string name;
  std::optional<std::int32_t> partitions;
  std::vector<std::string> settings;
};

/// Resets what the topic has set, or could have.
Result<void> check_resets(const TopicSettings& changes, const TopicSettings& present) {
  const auto known = engine::describe_topic_config({});
  for (const auto& [name, value] : changes) {
    const bool is_known =
        present.contains(name) ||
        std::any_of(known.begin(), known.end(),
                    [&, &name = name](const auto& entry) { return entry.name == name; });
    if (!is_known) MILLRACE_CHECK(engine::parse_topic_config({{name, value}}));
  }
  return {};
}

Result<void> change(const Broker& broker, const Options& options) {
  MILLRACE_TRY(const auto topic, find_topic(broker, options.name));
  if (!options.settings.empty()) {
    const TopicSettings changes = to_settings(options.settings);
    MILLRACE_TRY(const TopicInfo present, broker.describe_topic(options.name));
    MILLRACE_CHECK(check_resets(changes, present.settings));
    MILLRACE_CHECK(broker.alter_topic(options.name, changes));
  }
  if (options.partitions && *options.partitions != topic.partition_count()) {
    MILLRACE_CHECK(broker.add_partitions(options.name, *options.partitions));
  }
  return {};
}

Result<void> change(client::Cluster& cluster, const Options& options) {
  MILLRACE_TRY(const TopicInfo present, remote::find_topic(cluster, options.name));
  if (!options.settings.empty()) {
    const TopicSettings changes = to_settings(options.settings);
    MILLRACE_CHECK(check_resets(changes, present.settings));
    MILLRACE_CHECK(remote::alter_topic(cluster, options.name, changes));
  }
  if (options.partitions && *options.partitions != present.partitions) {
    MILLRACE_CHECK(remote::add_partitions(cluster, options.name, *options.partitions));
  }
  return {};
}

Result<void> alter(const Program& program, const Options& options) {
  if (program.is_remote()) {
    MILLRACE_TRY(const auto cluster, client::Cluster::connect(program.bootstrap()));
    return change(*cluster, options);
  }
  MILLRACE_TRY(const Broker broker, open_as_owner(program.data(), false));
  MILLRACE_CHECK(change(broker, options));
  return broker.close();
}

}  // namespace

void add_topic_alter(Program& program, CLI::App& topic) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = *topic.add_subcommand("alter", "Change a topic's settings, add partitions");
  command.add_option("NAME", options->name, "The topic")->required()->check(topic_name());
  CLI::Option_group& change = *command.add_option_group("Changes, at least one");
  change
      .add_option("--config", options->settings,
                  "Set a setting, or with an empty value reset it; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false)
      ->check(checked_by(check_change));
  change
      .add_option("--partitions", options->partitions,
                  "The new number of partitions; keys may then go to other ones")
      ->type_name("N")
      ->check(partition_count());
  change.require_option(1, 0);
  command.footer(
      "Example:\n"
      "  millrace --data d topic alter orders --config retention.ms=3600000 --config segment.ms=");
  program.on(
      command, [&program, options] { return alter(program, *options); },
      WorksOn::directory_or_broker);
}

}  // namespace millrace::inline v0::cli
