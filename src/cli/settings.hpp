#pragma once
#include <millrace/broker.hpp>
#include <millrace/engine/topic_name.hpp>
#include <string>
#include <vector>

#include "checks.hpp"

namespace millrace::inline v0::cli {

/// A name and a value that were given as `name=value`.
struct NamedValue {
  std::string name;
  std::string value;
};

/// Splits at the first '='. invalid_argument if there is none or no name before it.
Result<NamedValue> parse_named_value(std::string_view text);

/// Whether `name=value` is a topic's setting and one of its values.
Result<void> check_setting(std::string_view text);

/// The same for a change, where an empty value resets whatever the name.
Result<void> check_change(std::string_view text);

/// Checks for the name of a topic, and for how many partitions it is to have.
inline auto topic_name() {
  return checked_by([](const std::string& name) { return engine::check_topic_name(name); });
}
inline auto partition_count() {
  return whole_number(1, 100'000);
}

/// What several `--config name=value` say; each was checked by parse_named_value().
TopicSettings to_settings(const std::vector<std::string>& texts);

}  // namespace millrace::inline v0::cli
