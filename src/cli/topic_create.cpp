#include <fmt/format.h>

#include <memory>

#include "commands.hpp"
#include "data_directory.hpp"
#include "settings.hpp"

namespace millrace::inline v0::cli {
namespace {

struct Options {
  std::string name;
  std::int32_t partitions = 1;
  std::vector<std::string> settings;
  bool if_not_exists = false;
};

Result<void> create(const Program& program, const Options& options) {
  MILLRACE_TRY(const Broker broker, open_as_owner(program.data(), true));
  const auto created = broker.create_topic(
      options.name, {.partitions = options.partitions, .settings = to_settings(options.settings)});
  if (!created && created.error().code() == Errc::topic_exists && options.if_not_exists &&
      broker.describe_topic(options.name)) {
    return broker.close();
  }
  if (!created) return created;
  MILLRACE_CHECK(broker.close());
  fmt::print("created topic {} with {} partition{}\n", options.name, options.partitions,
             options.partitions == 1 ? "" : "s");
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
      ->capture_default_str();
  command.add_option("--config", options->settings, "A setting of the topic; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false)
      ->check(checked_by(check_setting));
  command.add_flag("--if-not-exists", options->if_not_exists, "Done already if the topic exists");
  command.footer(
      "`millrace topic describe` lists all settings with their meaning.\n"
      "Example:\n"
      "  millrace --data d topic create orders --partitions 4 --config retention.ms=86400000");
  program.on(command, [&program, options] { return create(program, *options); });
}

}  // namespace millrace::inline v0::cli
