#include <fmt/format.h>

#include <memory>

#include "commands.hpp"
#include "data_directory.hpp"
#include "settings.hpp"

namespace millrace::inline v0::cli {
namespace {

struct Options {
  std::string name;
  std::optional<std::int32_t> partitions;
  std::vector<std::string> settings;
};

Result<void> change(const Broker& broker, const Options& options) {
  MILLRACE_TRY(const auto topic, find_topic(broker, options.name));
  if (!options.settings.empty()) {
    MILLRACE_CHECK(broker.alter_topic(options.name, to_settings(options.settings)));
  }
  if (options.partitions && *options.partitions != topic.partition_count()) {
    MILLRACE_CHECK(broker.add_partitions(options.name, *options.partitions));
  }
  return {};
}

Result<void> alter(const Program& program, const Options& options) {
  MILLRACE_TRY(const Broker broker, open_as_owner(program.data(), false));
  MILLRACE_CHECK(change(broker, options));
  return broker.close();
}

}  // namespace

void add_topic_alter(Program& program, CLI::App& topic) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = *topic.add_subcommand("alter", "Change a topic's settings, add partitions");
  command.add_option("NAME", options->name, "The topic")->required();
  CLI::Option_group& change = *command.add_option_group("Changes, at least one");
  change
      .add_option("--config", options->settings,
                  "Set a setting, or with an empty value reset it; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false)
      ->check(checked_by(parse_named_value));
  change
      .add_option("--partitions", options->partitions,
                  "The new number of partitions; keys may then go to other ones")
      ->type_name("N");
  change.require_option(1, 0);
  command.footer(
      "Example:\n"
      "  millrace --data d topic alter orders --config retention.ms=3600000 --config segment.ms=");
  program.on(command, [&program, options] { return alter(program, *options); });
}

}  // namespace millrace::inline v0::cli
