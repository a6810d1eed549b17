#include "program.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <memory>

#include "command_help.hpp"
#include "usage_error.hpp"

namespace millrace::inline v0::cli {

void complain(std::string_view text) {
  fmt::print(stderr, "millrace: {}\n", text);
}

Program::Program() : app_("Kafka as a library: topics in a directory, from the command line") {
  app_.name("millrace");
  app_.fallthrough();
  // One at each level: a topic may be called as a command is.
  app_.require_subcommand(0, 1);
  app_.option_defaults()->disable_flag_override();
  app_.set_help_flag("-h,--help", "Print this help and exit");
  app_.formatter(std::make_shared<CommandHelp>());
  app_.set_version_flag("--version", "millrace " MILLRACE_VERSION, "Print the version and exit");
  app_.add_option("--data", data_, "The data directory")
      ->type_name("DIR")
      ->envname("MILLRACE_DATA");
  app_.add_option("--bootstrap", bootstrap_, "A broker that runs, instead of a directory")
      ->type_name("HOST:PORT");
}

void Program::require(WorksOn what) const {
  if (what == WorksOn::nothing) return;
  if (is_remote()) {
    if (what == WorksOn::directory) {
      throw CLI::ValidationError("--bootstrap",
                                 "this command works on the files of a directory; give --data DIR");
    }
    const char* const usual = std::getenv("MILLRACE_DATA");
    if (data_.empty() || (usual != nullptr && data_ == usual)) return;
    throw CLI::ValidationError("--bootstrap", "give it or --data, not both");
  }
  if (data_ == ":memory:") {
    throw CLI::ValidationError(
        "--data", "\":memory:\" would be gone with this command; give a directory (or ./:memory:)");
  }
  if (!data_.empty()) return;
  throw CLI::RequiredError(
      what == WorksOn::directory_or_broker
          ? "no data directory: give --data DIR, or set the environment variable MILLRACE_DATA, or "
            "give --bootstrap HOST:PORT of a broker that runs"
          : "no data directory: give --data DIR, or set the environment variable MILLRACE_DATA",
      CLI::ExitCodes::RequiredError);
}

void Program::on(CLI::App& command, Action action, WorksOn what) {
  command.callback([this, &command, action = std::move(action), what] {
    if (!command.get_subcommands().empty()) return;  // it is the subcommand's turn
    require(what);
    action_ = action;
  });
}

void Program::on_directory(CLI::App& command, std::string& path, Action action) {
  command.callback([this, &path, action = std::move(action)] {
    if (path.empty()) {
      require(WorksOn::directory);
      path = data_;
    }
    action_ = action;
  });
}

int Program::run(int argc, char** argv) {
  std::string problem;
  try {
    app_.parse(argc, argv);
    if (action_) return run_action();
  } catch (const CLI::Success& asked) {
    return app_.exit(asked);
  } catch (const CLI::ParseError& error) {
    problem = describe(app_, error);
  }
  if (problem.empty()) problem = describe_no_command(app_);
  complain(fmt::format("{}\nSee {} --help.", problem, path_of(command_of(app_))));
  return exit_usage;
}

int Program::run_action() const {
  const Result<void> outcome = action_();
  if (outcome) return exit_done;
  complain(outcome.error().message());
  return exit_failed;
}

}  // namespace millrace::inline v0::cli
