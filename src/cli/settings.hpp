#pragma once
#include <string>
#include <vector>

#include <millrace/broker.hpp>

namespace millrace::inline v0::cli {

/// A name and a value that were given as `name=value`.
struct NamedValue {
  std::string name;
  std::string value;
};

/// Splits at the first '='. invalid_argument if there is none or no name before it.
Result<NamedValue> parse_named_value(std::string_view text);

/// What several `--config name=value` say; each was checked by parse_named_value().
TopicSettings to_settings(const std::vector<std::string>& texts);

}  // namespace millrace::inline v0::cli
