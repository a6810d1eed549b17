#include <limits>
#include <memory>

#include "commands.hpp"
#include "consumption.hpp"
#include "data_directory.hpp"
#include "group_consumption.hpp"
#include "group_text.hpp"
#include "remote/remote_consumption.hpp"
#include "settings.hpp"
#include "time_text.hpp"

namespace millrace::inline v0::cli {
namespace {

struct CommandLine {
  ConsumeOptions options;
  GroupMembership membership;
  std::string instance_id;
  std::string assignors;
  std::string offset_reset = "earliest";
  std::string format = "%s\\n";
  std::string null_value;
  bool json = false;
  bool follow = false;  // what happens anyway
};

constexpr const char* help_after_options =
    "Without --from-..., --offset or --end reading starts at the oldest record; without\n"
    "--exit-at-end or --max-records it goes on, waiting for more, until Ctrl-C. The directory\n"
    "is read through its maps, whether or not another process writes to it.\n\n"
    "Tokens of --format:\n"
    "  %t topic     %p partition   %o offset    %T timestamp, milliseconds since 1970\n"
    "  %k key       %K its length, -1 if null   %h headers as name=value,...\n"
    "  %s value     %S its length, -1 if null   %R the same as 4 bytes, big-endian\n"
    "  %% a percent sign; escapes: \\n \\r \\t \\0 \\a \\e \\\\ \\xHH\n\n"
    "Examples:\n"
    "  millrace --data d consume orders --exit-at-end --format '%p:%o %k = %s\\n'\n"
    "  millrace --data d consume orders --from-time -5m --exit-at-end --json | jq .value\n"
    "  millrace --data d consume orders --offset -10 --follow";

Timestamp now() {
  return system_clock().now();
}

Result<Timestamp> parse_time_now(const std::string& text) {
  return parse_time(text, now());
}

Result<Isolation> parse_isolation(const std::string& level) {
  if (level == "read_committed") return Isolation::read_committed;
  if (level == "read_uncommitted") return Isolation::read_uncommitted;
  return Error(Errc::invalid_argument, "\"" + level +
                                           "\" is no level of isolation; give read_committed or "
                                           "read_uncommitted");
}

void add_start_options(CLI::App& command, CommandLine& line) {
  CLI::Option_group& from = *command.add_option_group("Where to start, one of");
  from.add_flag_callback(
      "--from-beginning", [&line] { line.options.start = FromBeginning{}; },
      "At the oldest record kept (the default)");
  from.add_option_function<std::int64_t>(
          "--offset", [&line](const std::int64_t& n) { line.options.start = FromOffset{n}; },
          "At this offset of each partition; if negative, so many records before its end")
      ->type_name("N")
      ->check(whole_number(std::numeric_limits<std::int64_t>::min()));
  from.add_option_function<std::string>(
          "--from-time",
          [&line](const std::string& text) {
            line.options.start = parse_time(text, now()).value();
          },
          "At the first record of this time or later: 2026-11-20T10:00:00Z, milliseconds since "
          "1970, now, or a time ago such as -90s, -5m, -2h, -1d")
      ->type_name("TIME")
      ->check(checked_by(parse_time_now));
  from.add_flag_callback(
      "--end", [&line] { line.options.start = FromEnd{}; }, "At the end: only what comes");
  from.require_option(0, 1);
}

void add_stop_options(CLI::App& command, CommandLine& line) {
  CLI::Option& exit_at_end =
      *command.add_flag("--exit-at-end", line.options.exit_at_end,
                        "Exit after the record that is the last one when reading starts");
  command.add_flag("--follow", line.follow, "Wait for more at the end (the default)")
      ->excludes(&exit_at_end);
  command.add_option("--max-records", line.options.max_records, "Exit after so many records")
      ->type_name("N")
      ->check(whole_number(0));
}

void add_print_options(CLI::App& command, CommandLine& line) {
  CLI::Option& format =
      *command.add_option("--format", line.format, "How a record is printed, see below")
           ->type_name("TEXT")
           ->capture_default_str()
           ->check(checked_by(RecordFormat::parse));
  command.add_option("--null-value", line.null_value, "What %k and %s print for null (nothing)")
      ->type_name("TEXT");
  command
      .add_flag("--json", line.json,
                "Print one JSON object a record and line; what is not UTF-8 is base64 and marked "
                "so, for example \"value_encoding\":\"base64\"")
      ->excludes(&format);
}

void add_group_options(CLI::App& command, CommandLine& line) {
  CLI::Option& group =
      *command
           .add_option("--group", line.membership.group,
                       "Read as a member of this consumer group: go on where it committed, commit "
                       "what was printed. Owns the directory meanwhile")
           ->type_name("NAME")
           ->check([](const std::string& name) {
             return name.empty() ? "a group's id must not be empty; give the group a name" : "";
           });
  group.excludes(command.get_option("--partition"));
  for (const CLI::App* from : command.get_subcommands([](const CLI::App*) { return true; })) {
    for (const char* start : {"--from-beginning", "--offset", "--from-time", "--end"}) {
      if (const CLI::Option* option = from->get_option_no_throw(start)) {
        group.excludes(const_cast<CLI::Option*>(option));
      }
    }
  }
  command.add_option("--instance-id", line.instance_id, "Be this static member of the group")
      ->type_name("ID")
      ->needs(&group);
  command
      .add_option("--assignor", line.assignors,
                  "How the group shares partitions, best first: range, roundrobin, sticky, "
                  "cooperative-sticky")
      ->type_name("NAME,...")
      ->check(checked_by(parse_assignors))
      ->needs(&group);
  command
      .add_option("--offset-reset", line.offset_reset,
                  "Where the group begins in a partition without a committed offset: earliest, "
                  "latest, none, by_duration:PT1H")
      ->type_name("WHERE")
      ->capture_default_str()
      ->check(checked_by(parse_offset_reset))
      ->needs(&group);
}

Result<void> consume_as_member(const Program& program, CommandLine& line) {
  if (!line.instance_id.empty()) line.membership.instance_id = line.instance_id;
  if (!line.assignors.empty()) {
    MILLRACE_TRY(line.membership.assignors, parse_assignors(line.assignors));
  }
  MILLRACE_TRY(line.membership.offset_reset, parse_offset_reset(line.offset_reset));
  if (program.is_remote()) {
    MILLRACE_TRY(const auto cluster, client::Cluster::connect(program.bootstrap()));
    const StopSignals stop;
    return remote::Consumption(*cluster, line.options, stop).run_as_member(line.membership);
  }
  MILLRACE_TRY(Broker broker, open_for_appending(program.data()));
  const StopSignals stop;
  return GroupConsumption(std::move(broker), line.options, line.membership, stop).run();
}

Result<void> consume(const Program& program, CommandLine& line) {
  if (!line.json) {
    MILLRACE_TRY(line.options.format, RecordFormat::parse(line.format));
    line.options.format->set_null_text(line.null_value);
  }
  if (!line.membership.group.empty()) return consume_as_member(program, line);
  if (program.is_remote()) {
    MILLRACE_TRY(const auto cluster, client::Cluster::connect(program.bootstrap()));
    const StopSignals stop;
    return remote::Consumption(*cluster, line.options, stop).run();
  }
  MILLRACE_TRY(Broker broker, open_for_reading(program.data()));
  const StopSignals stop;
  return Consumption(std::move(broker), line.options, stop).run();
}

}  // namespace

void add_consume(Program& program) {
  const auto line = std::make_shared<CommandLine>();
  CLI::App& command =
      *program.app().add_subcommand("consume", "Print a topic's records, and wait for more");
  command.add_option("TOPIC", line->options.topic, "The topic")->required()->check(topic_name());
  command
      .add_option("--partition", line->options.partitions, "Only this partition; may be repeated")
      ->type_name("N")
      ->check(partition_number())
      ->allow_extra_args(false);
  add_start_options(command, *line);
  add_stop_options(command, *line);
  add_print_options(command, *line);
  add_group_options(command, *line);
  command
      .add_option_function<std::string>(
          "--isolation",
          [line](const std::string& level) {
            line->options.isolation = parse_isolation(level).value();
          },
          "read_uncommitted shows the records of transactions that are open or were aborted too; "
          "read_committed, the default, does not")
      ->type_name("LEVEL")
      ->check(checked_by(parse_isolation));
  command.add_flag("--skip-damaged", line->options.skip_damaged,
                   "Read on behind damaged records instead of ending with an error");
  command.footer(help_after_options);
  program.on(
      command, [&program, line] { return consume(program, *line); }, WorksOn::directory_or_broker);
}

}  // namespace millrace::inline v0::cli
