#pragma once
#include <CLI/CLI.hpp>
#include <string>

namespace millrace::inline v0::cli {

/// What is wrong with a command line that was not understood: the word or option, the value, and
/// what would be right. `app` is the whole program's, as parsing left it.
std::string describe(const CLI::App& app, const CLI::ParseError& error);

/// The same for a command line that stops where a command should follow.
std::string describe_no_command(const CLI::App& app);

/// The subcommand at which the command line arrived.
const CLI::App& command_of(const CLI::App& app);

}  // namespace millrace::inline v0::cli
