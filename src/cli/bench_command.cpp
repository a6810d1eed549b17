#include "bench_command.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <regex>

#include "bench_child.hpp"
#include "bench_report.hpp"

namespace millrace::inline v0::cli {
namespace {

struct BenchOptions {
  int rounds = 5;
  bool quick = false;
  bool json = false;
  std::string only;
  std::vector<std::string> child;
};

/// Runs `work`, which reports failures by exceptions.
template <typename Work>
Result<void> guarded(Work work) {
  try {
    work();
  } catch (const std::exception& failure) {
    return Error(Errc::io_error, fmt::format("the measurement stopped: {}", failure.what()));
  }
  return {};
}

std::string check_pattern(const std::string& text) {
  try {
    static_cast<void>(std::regex(text));
  } catch (const std::regex_error& failure) {
    return fmt::format(
        "\"{}\" is not a regular expression ({}); a \\ before ( ) [ ] {{ }} * + ? . | ^ $ takes "
        "them literally",
        text, failure.what());
  }
  return {};
}

std::string from_environment(const char* name) {
  const char* text = std::getenv(name);
  return text != nullptr ? text : "";
}

/// One round of a group, as bench/run-peers.sh asks for it.
void print_rows() {
  bench::Effort effort;
  effort.quick = from_environment("BENCH_QUICK") == "1";
  if (const auto text = from_environment("BENCH_SECONDS"); !text.empty()) {
    effort.seconds = std::stod(text);
  }
  if (const auto text = from_environment("BENCH_ROUND"); !text.empty()) {
    effort.round = std::stoi(text);
  }
  const std::string group = from_environment("BENCH_GROUP");
  for (const auto& block : bench::all_blocks()) {
    if (!group.empty() && block.group != group) continue;
    block.rows(effort, [](const std::string& row, double value, const char* unit) {
      fmt::print("{} {:.6g} {}\n", row, value, unit);
      std::fflush(stdout);
    });
  }
}

void print_report(const BenchOptions& options) {
  bench::Effort effort;
  effort.quick = options.quick;
  if (options.quick) effort.seconds = 0.2;
  const std::regex only(options.only);
  bench::Samples samples;
  for (effort.round = 0; effort.round < options.rounds; ++effort.round) {
    for (const auto& block : bench::all_blocks()) {
      if (!std::regex_search(block.name, only)) continue;
      fmt::print(stderr, "round {} of {}: {}\n", effort.round + 1, options.rounds, block.name);
      const auto take = [&](const std::string& row, double value, const char* unit) {
        samples.add(effort.round, row, value, unit);
      };
      if (block.limits) block.limits(effort, take);
      block.rows(effort, take);
    }
  }
  fmt::print("{}", options.json ? bench::json_report(samples, options.rounds)
                                : bench::text_report(samples, options.rounds));
}

}  // namespace

void add_bench(Program& program) {
  const auto options = std::make_shared<BenchOptions>();
  CLI::App& command = *program.app().add_subcommand(
      "bench", "Measure the engine and the machine's limits in turn, and compare");
  command.require_subcommand(0, 1);
  command.add_option("--rounds", options->rounds, "Rounds; medians over them count")
      ->capture_default_str()
      ->type_name("N")
      ->check(whole_number(1, 1000));
  command.add_flag("--quick", options->quick, "Short rows and less data");
  command.add_flag("--json", options->json, "Print one JSON object");
  command.add_option("--only", options->only, "Only blocks of rows that match")
      ->type_name("REGEX")
      ->check(check_pattern);
  command.footer(
      "Scratch data goes to $BENCH_DIR, $TMPDIR or /tmp: name a directory on the disk "
      "that counts.");
  program.on(
      command, [options] { return guarded([&] { print_report(*options); }); }, WorksOn::nothing);

  CLI::App& rows = *command.add_subcommand(
      "rows", "Print `millrace/row/size value unit` lines of $BENCH_GROUP (B, C or D)");
  program.on(
      rows, [] { return guarded(print_rows); }, WorksOn::nothing);

  CLI::App& child = *command.add_subcommand("child", "")->group("");
  child.add_option("arguments", options->child);
  program.on(
      child,
      [options] {
        return guarded([&] {
          if (bench::run_child(options->child) != 0) bench::fail("the child failed");
        });
      },
      WorksOn::nothing);
}

}  // namespace millrace::inline v0::cli
