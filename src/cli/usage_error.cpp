#include "usage_error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "command_help.hpp"

namespace millrace::inline v0::cli {
namespace {

using Words = std::vector<std::string>;

/// Levenshtein's distance.
std::size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

/// What may have been meant by `word`, or else all there is.
std::string suggest(const std::string& word, const Words& names) {
  for (const std::string& name : names) {
    if (edits_between(word, name) <= 2) return fmt::format("did you mean {}?", name);
  }
  return fmt::format("there are {}", fmt::join(names, ", "));
}

/// Named subcommands that help shows.
Words commands_of(const CLI::App& app) {
  Words names;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_name().empty() && !sub->get_group().empty()) names.push_back(sub->get_name());
  }
  return names;
}

/// Those of "Where to start, one of" and the like.
std::vector<const CLI::App*> option_groups_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* sub) { return sub->get_name().empty(); });
}

void add_option_names(const CLI::App& app, Words& names) {
  const bool is_group = app.get_name().empty();
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name();
    const bool is_new = std::find(names.begin(), names.end(), name) == names.end();
    const bool is_own = !is_group || option != app.get_help_ptr();
    if (name.starts_with("--") && is_new && is_own) names.push_back(name);
  }
}

Words options_of(const CLI::App& command) {
  Words names;
  add_option_names(command, names);
  for (const CLI::App* group : option_groups_of(command)) add_option_names(*group, names);
  for (const CLI::App* at = command.get_parent(); at != nullptr; at = at->get_parent()) {
    add_option_names(*at, names);
  }
  return names;
}

std::string unexpected(const CLI::App& command, const std::string& word) {
  if (word.starts_with('-')) {
    const std::string name = word.substr(0, word.find('='));
    return fmt::format("{} has no option {}; {}", path_of(command), name,
                       suggest(name, options_of(command)));
  }
  if (const Words commands = commands_of(command); !commands.empty()) {
    return fmt::format("there is no command {} {}; {}", path_of(command), word,
                       suggest(word, commands));
  }
  return fmt::format(
      "\"{}\" is one word too many; it is: {} [options], with quotes about what has spaces", word,
      usage_of(command));
}

Words given(const CLI::App& group) {
  Words names;
  for (const CLI::Option* option : group.get_options()) {
    if (option->count() > 0) names.push_back(option->get_name());
  }
  return names;
}

/// What is required and missing, or given more often than once; empty if nothing is.
std::string missing(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_required() || option->count() > 0) continue;
    return fmt::format("{} is missing; it is: {} [options]", option->get_name(), usage_of(command));
  }
  for (const CLI::App* group : option_groups_of(command)) {
    const Words used = given(*group);
    const std::size_t most = group->get_require_option_max();
    if (most > 0 && used.size() > most) {
      return fmt::format("{} cannot be together; keep one of them", fmt::join(used, " and "));
    }
    if (used.size() >= group->get_require_option_min()) continue;
    Words names;
    add_option_names(*group, names);
    return fmt::format("{} needs at least one of {}", path_of(command), fmt::join(names, ", "));
  }
  return {};
}

std::string contradiction(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() == 0) continue;
    for (const CLI::Option* other : option->get_excludes()) {
      if (other->count() == 0) continue;
      return fmt::format("{} and {} cannot be together; keep one of them", option->get_name(),
                         other->get_name());
    }
  }
  return {};
}

const CLI::Option* find_option(const CLI::App& command, const std::string& name) {
  for (const CLI::App* at = &command; at != nullptr; at = at->get_parent()) {
    for (const std::string& written : {name, "--" + name}) {
      if (const CLI::Option* option = at->get_option_no_throw(written)) return option;
    }
  }
  return nullptr;
}

/// `text` begins with the name of an option that has too few or too many values.
std::string wrong_count(const CLI::App& command, const std::string& text) {
  const CLI::Option* option = find_option(command, text.substr(0, text.find_first_of(": ")));
  if (option == nullptr) return {};
  const std::string name = option->get_name();
  if (option->get_items_expected_max() == 0) {
    return fmt::format("{} takes no value; give it alone", name);
  }
  if (option->count() > 1) {
    return fmt::format("{} is given {} times; give it once", name, option->count());
  }
  return fmt::format("{} has no value; give {} {}", name, name, option->get_type_name());
}

}  // namespace

const CLI::App& command_of(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().back();
  return *at;
}

std::string describe(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = command_of(app);
  std::string text;
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr ||
      dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    // An option that does not exist matters more than what is missing beside it.
    if (const Words words = app.remaining(true); !words.empty()) {
      text = unexpected(command, words.front());
    } else {
      text = missing(command);
    }
  } else if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr) {
    text = contradiction(command);
  } else if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    text = wrong_count(command, error.what());
  }
  return text.empty() ? error.what() : text;
}

std::string describe_no_command(const CLI::App& app) {
  const CLI::App& command = command_of(app);
  return fmt::format("what to do is missing; give {} and one of {}", path_of(command),
                     fmt::join(commands_of(command), ", "));
}

}  // namespace millrace::inline v0::cli
