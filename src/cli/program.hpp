#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <millrace/core/result.hpp>
#include <string>

#include "checks.hpp"

namespace millrace::inline v0::cli {

/// The program's exit codes.
enum ExitCode : int { exit_done = 0, exit_failed = 1, exit_usage = 2 };

/// What a subcommand does once the command line is understood. An Error becomes exit code 1 and a
/// `millrace: ...` line on stderr.
using Action = std::function<Result<void>()>;

/// What a command works on.
enum class WorksOn : std::uint8_t { nothing, directory, directory_or_broker };

/// The command line and what all subcommands share.
class Program {
 public:
  Program();

  CLI::App& app() noexcept { return app_; }
  /// Runs `action` if the command line ends up at `command`; without what it works on that is
  /// wrong.
  void on(CLI::App& command, Action action, WorksOn what = WorksOn::directory);
  /// The same for a command about a directory of its own; without one `path` becomes that of
  /// --data.
  void on_directory(CLI::App& command, std::string& path, Action action);
  /// What --data or MILLRACE_DATA says; empty if neither.
  const std::string& data() const noexcept { return data_; }
  /// What --bootstrap says; empty if it is not given.
  const std::string& bootstrap() const noexcept { return bootstrap_; }
  bool is_remote() const noexcept { return !bootstrap_.empty(); }
  /// Parses, runs, prints errors; returns the exit code.
  int run(int argc, char** argv);

 private:
  void require(WorksOn what) const;
  int run_action() const;

  CLI::App app_;
  std::string data_;
  std::string bootstrap_;
  Action action_;
};

/// Prints `millrace: text` on stderr.
void complain(std::string_view text);

}  // namespace millrace::inline v0::cli
