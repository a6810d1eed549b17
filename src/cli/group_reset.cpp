#include <fmt/format.h>

#include <limits>
#include <memory>

#include "commands.hpp"
#include "data_directory.hpp"
#include "group_text.hpp"
#include "json_text.hpp"
#include "remote/remote_groups.hpp"
#include "standard_streams.hpp"
#include "table.hpp"
#include "time_text.hpp"

namespace millrace::inline v0::cli {
namespace {

struct CommandLine {
  std::string name;
  std::vector<std::string> topics;
  bool all_topics = false;
  std::optional<ResetTo> to;
  bool dry_run = false;  // what happens anyway
  bool execute = false;
  bool json = false;
};

constexpr const char* help_after_options =
    "Without --execute the new offsets are only shown. The group must not have members. What is\n"
    "not there is replaced by the nearest offset that is.\n\n"
    "Examples:\n"
    "  millrace --data d group reset billing --topic orders --to-earliest --execute\n"
    "  millrace --data d group reset billing --topic orders:0,2 --to-datetime -2h\n"
    "  millrace --data d group reset billing --all-topics --shift-by -100 --execute";

Result<Timestamp> parse_time_now(const std::string& text) {
  return parse_time(text, system_clock().now());
}

void add_targets(CLI::App& command, CommandLine& line) {
  CLI::Option_group& to = *command.add_option_group("Where to, one of");
  const auto flag = [&](const char* name, ResetTo target, const char* help) {
    to.add_flag_callback(
        name, [&line, target] { line.to = target; }, help);
  };
  flag("--to-earliest", {ResetTo::Begin{}}, "The oldest record kept");
  flag("--to-latest", {ResetTo::End{}}, "The end: only what comes");
  flag("--to-current", {ResetTo::Current{}}, "What is committed; the end where nothing is");
  const auto number = [&](const char* name, std::int64_t least, auto make, const char* help) {
    to.add_option_function<std::int64_t>(
          name, [&line, make](const std::int64_t& n) { line.to = make(n); }, help)
        ->type_name("N")
        ->check(whole_number(least));
  };
  number(
      "--to-offset", 0, [](std::int64_t n) { return ResetTo{ResetTo::At{Offset{n}}}; },
      "This offset");
  number(
      "--shift-by", std::numeric_limits<std::int64_t>::min(),
      [](std::int64_t n) { return ResetTo{ResetTo::By{n}}; },
      "So many offsets on from what is committed; back if negative");
  to.add_option_function<std::string>(
        "--to-datetime",
        [&line](const std::string& text) {
          line.to = ResetTo{ResetTo::Time{parse_time_now(text).value()}};
        },
        "The first record of then or later: 2026-11-20T10:00:00Z, milliseconds since 1970, now, "
        "or a time ago such as -5m")
      ->type_name("TIME")
      ->check(checked_by(parse_time_now));
  to.add_option_function<std::string>(
        "--by-duration",
        [&line](const std::string& text) {
          line.to = ResetTo{ResetTo::Time{system_clock().now() - parse_duration(text).value()}};
        },
        "The first record that is no older: PT1H30M, P1D, or 90s, 5m, 2h, 1d")
      ->type_name("DURATION")
      ->check(checked_by(parse_duration));
  to.require_option(1, 1);
}

std::string as_text(const std::string& group, const std::vector<OffsetMove>& moves) {
  Table table({"GROUP", "TOPIC", "PARTITION", "CURRENT-OFFSET", "NEW-OFFSET"});
  for (const OffsetMove& move : moves) {
    table.add({group, move.partition.topic, std::to_string(move.partition.partition),
               move.from ? std::to_string(move.from->value()) : "-",
               std::to_string(move.to.value())});
  }
  return table.text();
}

std::string as_json(const std::vector<OffsetMove>& moves) {
  Json list = Json::array();
  for (const OffsetMove& move : moves) {
    Json one{{"topic", move.partition.topic},
             {"partition", move.partition.partition},
             {"current_offset", nullptr},
             {"new_offset", move.to.value()}};
    if (move.from) one["current_offset"] = move.from->value();
    list.push_back(std::move(one));
  }
  return list.dump() + "\n";
}

Result<std::vector<TopicScope>> scopes_of(const CommandLine& line) {
  std::vector<TopicScope> scopes;
  for (const std::string& text : line.topics) {
    MILLRACE_TRY(auto scope, parse_topic_scope(text));
    scopes.push_back(std::move(scope));
  }
  return scopes;
}

/// What is to be changed; with --execute it is when this returns.
Result<std::vector<OffsetMove>> move_offsets(const Program& program, const CommandLine& line) {
  MILLRACE_TRY(const auto scopes, scopes_of(line));
  if (program.is_remote()) {
    MILLRACE_TRY(const auto cluster, client::Cluster::connect(program.bootstrap()));
    MILLRACE_TRY(const auto partitions, remote::partitions_in(*cluster, scopes));
    MILLRACE_TRY(auto moves, remote::plan_reset(*cluster, line.name, partitions, *line.to));
    if (line.execute) MILLRACE_CHECK(remote::reset_group(*cluster, line.name, moves));
    return moves;
  }
  MILLRACE_TRY(const Broker broker, line.execute ? open_as_owner(program.data(), false)
                                                 : open_for_reading(program.data()));
  const Groups groups(broker);
  MILLRACE_TRY(const auto partitions, partitions_in(broker, scopes));
  MILLRACE_TRY(auto moves, groups.plan_reset(line.name, partitions, *line.to));
  if (!line.execute) return moves;
  MILLRACE_CHECK(groups.reset(line.name, moves));
  MILLRACE_CHECK(broker.close());
  return moves;
}

Result<void> reset(const Program& program, const CommandLine& line) {
  MILLRACE_TRY(const auto moves, move_offsets(program, line));
  Output output;
  output.buffer() = line.json ? as_json(moves) : as_text(line.name, moves);
  MILLRACE_CHECK(output.flush());
  if (!line.execute) {
    complain(fmt::format("nothing was changed; add --execute to reset group {}", line.name));
  }
  return {};
}

}  // namespace

void add_group_reset(Program& program, CLI::App& group) {
  const auto line = std::make_shared<CommandLine>();
  CLI::App& command =
      *group.add_subcommand("reset", "Set the offsets that a group has committed to others");
  command.add_option("NAME", line->name, "The group")->required();
  CLI::Option_group& of = *command.add_option_group("Of which topics, one of");
  of.add_option("--topic", line->topics, "A topic, or some of its partitions; may be repeated")
      ->type_name("NAME[:N,N]")
      ->check(checked_by(parse_topic_scope))
      ->allow_extra_args(false);
  of.add_flag("--all-topics", line->all_topics, "All that the group has committed for");
  of.require_option(1, 1);
  add_targets(command, *line);
  CLI::Option& dry_run =
      *command.add_flag("--dry-run", line->dry_run, "Only show the new offsets (the default)");
  command.add_flag("--execute", line->execute, "Commit them")->excludes(&dry_run);
  command.add_flag("--json", line->json, "Print one JSON array");
  command.footer(help_after_options);
  program.on(
      command, [&program, line] { return reset(program, *line); }, WorksOn::directory_or_broker);
}

}  // namespace millrace::inline v0::cli
