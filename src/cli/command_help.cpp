#include "command_help.hpp"

#include <fmt/format.h>

namespace millrace::inline v0::cli {
namespace {

constexpr std::size_t first_column = 28;
constexpr std::size_t all_columns = 98;

/// `left` and, wrapped beside it, `right`.
std::string in_columns(std::string_view left, std::string_view right) {
  std::string out = fmt::format("  {:<{}}", left, first_column - 2);
  if (out.size() > first_column) out += "\n" + std::string(first_column, ' ');
  std::size_t column = first_column;
  while (!right.empty()) {
    const std::string_view word = right.substr(0, right.find(' '));
    right.remove_prefix(std::min(word.size() + 1, right.size()));
    if (column > first_column && column + word.size() + 1 > all_columns) {
      out += "\n" + std::string(first_column, ' ');
      column = first_column;
    }
    if (column > first_column) out += ' ';
    column += word.size() + (column > first_column ? 1 : 0);
    out += word;
  }
  return out + "\n";
}

std::string left_of(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true);
  std::string left = option.get_name(false, true);
  if (option.get_type_size() != 0 && !option.get_type_name().empty()) {
    left += " " + option.get_type_name();
  }
  return left;
}

std::string lines_of(const CLI::App& app, bool positional) {
  std::string out;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() != positional || option->get_group().empty()) continue;
    if (app.get_name().empty() && option == app.get_help_ptr()) continue;  // of an option group
    std::string right = option->get_description();
    if (const std::string value = option->get_default_str(); !value.empty()) {
      right += fmt::format(" (default {})", value);
    }
    out += in_columns(left_of(*option), right);
  }
  return out;
}

}  // namespace

std::string path_of(const CLI::App& command) {
  std::string path = command.get_name();
  for (const CLI::App* at = command.get_parent(); at != nullptr; at = at->get_parent()) {
    path.insert(0, at->get_name() + " ");
  }
  return path;
}

std::string usage_of(const CLI::App& app) {
  std::string usage = path_of(app);
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) usage += " " + option->get_name(true);
  }
  return usage;
}

std::string CommandHelp::make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const {
  std::string commands;
  std::string groups;
  for (const CLI::App* sub : app->get_subcommands([](const CLI::App*) { return true; })) {
    if (sub->get_name().empty()) {
      groups += fmt::format("\n{}:\n{}", sub->get_group(), lines_of(*sub, false));
    } else if (!sub->get_group().empty()) {
      commands += in_columns(sub->get_name(), sub->get_description());
    }
  }
  std::string out = fmt::format("{}.\n\nUsage: {} {}\n\n", app->get_description(), usage_of(*app),
                                commands.empty() ? "[options]" : "COMMAND [options]");
  out += commands + lines_of(*app, true) + lines_of(*app, false);
  if (commands.empty()) {
    out += in_columns("--data DIR", "The data directory; or set the variable MILLRACE_DATA");
  }
  out += groups;
  if (!app->get_footer().empty()) out += "\n" + app->get_footer() + "\n";
  return out;
}

}  // namespace millrace::inline v0::cli
