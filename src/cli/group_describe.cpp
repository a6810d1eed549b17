#include <poll.h>
#include <unistd.h>

#include <memory>

#include "commands.hpp"
#include "data_directory.hpp"
#include "group_text.hpp"
#include "remote/remote_groups.hpp"
#include "standard_streams.hpp"
#include "stop_signals.hpp"

namespace millrace::inline v0::cli {
namespace {

struct Options {
  std::string name;
  bool json = false;
  bool watch = false;
  std::int64_t interval_seconds = 1;
};

/// Returns early when stopped.
void sleep_for(std::int64_t seconds, const StopSignals& stop) {
  pollfd wanted{stop.descriptor(), POLLIN, 0};
  static_cast<void>(::poll(&wanted, 1, static_cast<int>(seconds * 1000)));
}

using Look = std::function<Result<GroupDescription>()>;

/// What looks at the group, each time anew.
Result<Look> look_of(const Program& program, const std::string& name) {
  if (!program.is_remote()) {
    MILLRACE_TRY(const Broker broker, open_for_reading(program.data()));
    return Look([groups = Groups(broker), name] { return groups.describe(name); });
  }
  MILLRACE_TRY(auto connected, client::Cluster::connect(program.bootstrap()));
  const std::shared_ptr<client::Cluster> cluster = std::move(connected);
  return Look([cluster, name] { return remote::describe_group(*cluster, name); });
}

Result<void> describe(const Program& program, const Options& options) {
  MILLRACE_TRY(const Look look, look_of(program, options.name));
  const StopSignals stop;
  Output output(stop.descriptor());
  const bool redraws = options.watch && !options.json && ::isatty(STDOUT_FILENO) == 1;
  do {
    MILLRACE_TRY(const auto group, look());
    if (redraws) output.buffer() = "\x1b[H\x1b[2J";
    output.buffer() += options.json ? describe_as_json(group) : describe_as_text(group);
    if (options.watch && !redraws && !options.json) output.buffer() += "\n";
    MILLRACE_CHECK(output.flush());
    if (options.watch) sleep_for(options.interval_seconds, stop);
  } while (options.watch && !StopSignals::is_stopped() && !output.reader_is_gone());
  return {};
}

}  // namespace

void add_group_describe(Program& program, CLI::App& group) {
  const auto options = std::make_shared<Options>();
  CLI::App& command = *group.add_subcommand(
      "describe", "Show what a group has committed, how far that is behind, and who reads");
  command.add_option("NAME", options->name, "The group")->required();
  command.add_flag("--json", options->json, "Print one JSON object (with --watch: one a look)");
  CLI::Option& watch = *command.add_flag("--watch", options->watch, "Look again until Ctrl-C");
  command.add_option("--interval", options->interval_seconds, "Seconds between looks")
      ->capture_default_str()
      ->type_name("N")
      ->check(whole_number(1, 3600))
      ->needs(&watch);
  command.footer(
      "What the group has written is shown, whether or not another process has it at work:\n"
      "members of a process that was killed are listed until the directory is next opened.");
  program.on(
      command, [&program, options] { return describe(program, *options); },
      WorksOn::directory_or_broker);
}

}  // namespace millrace::inline v0::cli
