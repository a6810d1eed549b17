#pragma once
#include <CLI/CLI.hpp>

namespace millrace::inline v0::cli {

/// `millrace topic create`.
std::string path_of(const CLI::App& command);
/// `millrace topic create NAME`.
std::string usage_of(const CLI::App& app);

/// Prints the help of one subcommand: what it does, its arguments and options in two columns, then
/// its footer.
class CommandHelp final : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
};

}  // namespace millrace::inline v0::cli
