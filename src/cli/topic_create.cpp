#include <fmt/format.h>

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
  std::optional<std::int32_t> partitions;  ///< not given: 1, or what an existing topic has
  std::vector<std::string> settings;
  bool if_not_exists = false;
};

std::string partitions_text(std::int32_t count) {
  return fmt::format("{} partition{}", count, count == 1 ? "" : "s");
}

std::string value_of(const std::vector<engine::ConfigEntry>& entries, const std::string& name) {
  for (const engine::ConfigEntry& entry : entries) {
    if (entry.name == name) return entry.value;
  }
  return {};
}

/// Says how `there` is not what was asked for.
void tell_differences(const TopicInfo& there, const Options& options) {
  std::string differences;
  if (options.partitions && *options.partitions != there.partitions) {
    differences +=
        fmt::format("; it has {}, not {}", partitions_text(there.partitions), *options.partitions);
  }
  const auto entries = engine::describe_topic_config(there.settings);
  for (const auto& [name, wanted] : to_settings(options.settings)) {
    const std::string value = value_of(entries, name);
    if (value != wanted) differences += fmt::format("; its {} is {}, not {}", name, value, wanted);
  }
  if (differences.empty()) return;
  complain(
      fmt::format("topic {} exists already and stays as it is{}. Settings and more partitions "
                  "are given to it by: millrace topic alter {}",
                  there.name, differences, there.name));
}

Result<void> create_remotely(const Program& program, const Options& options) {
  MILLRACE_TRY(const auto cluster, client::Cluster::connect(program.bootstrap()));
  const auto created = remote::create_topic(*cluster, options.name, options.partitions,
                                            to_settings(options.settings));
  if (!created && created.error().code() == Errc::topic_exists && options.if_not_exists) {
    MILLRACE_TRY(const TopicInfo there, remote::find_topic(*cluster, options.name));
    tell_differences(there, options);
    return {};
  }
  MILLRACE_CHECK(created);
  fmt::print("created topic {} with {}\n", options.name,
             partitions_text(options.partitions.value_or(1)));
  return {};
}

Result<void> create(const Program& program, const Options& options) {
  if (program.is_remote()) return create_remotely(program, options);
  MILLRACE_TRY(const Broker broker, open_as_owner(program.data(), true));
  const std::int32_t partitions = options.partitions.value_or(1);
  auto created = broker.create_topic(
      options.name, {.partitions = partitions, .settings = to_settings(options.settings)});
  if (!created && created.error().code() == Errc::topic_exists && options.if_not_exists) {
    if (const auto there = broker.describe_topic(options.name)) {
      tell_differences(*there, options);
      return broker.close();
    }
  }
  if (!created) return created;
  MILLRACE_CHECK(broker.close());
  fmt::print("created topic {} with {}\n", options.name, partitions_text(partitions));
  return {};
}

}  // namespace

void add_topic_create(Program& program, CLI::App& topic) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = *topic.add_subcommand("create", "Create a topic, and the data directory");
  command.add_option("NAME", options->name, "Its name: letters, digits, '.', '_', '-'")
      ->required()
      ->check(topic_name());
  command.add_option("--partitions", options->partitions, "How many partitions")
      ->type_name("N")
      ->check(partition_count())
      ->default_str("1");
  command.add_option("--config", options->settings, "A setting of the topic; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false)
      ->check(checked_by(check_setting));
  command.add_flag("--if-not-exists", options->if_not_exists,
                   "No error if the topic exists; says on standard error how it differs");
  command.footer(
      "`millrace topic describe` lists all settings with their meaning.\n"
      "Example:\n"
      "  millrace --data d topic create orders --partitions 4 --config retention.ms=86400000");
  program.on(
      command, [&program, options] { return create(program, *options); },
      WorksOn::directory_or_broker);
}

}  // namespace millrace::inline v0::cli
