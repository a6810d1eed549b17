#include "settings.hpp"

#include <fmt/format.h>

namespace millrace::inline v0::cli {

Result<NamedValue> parse_named_value(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos) {
    return Error(Errc::invalid_argument, fmt::format("\"{}\" is not of the form name=value", text));
  }
  return NamedValue{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

TopicSettings to_settings(const std::vector<std::string>& texts) {
  TopicSettings settings;
  for (const std::string& text : texts) {
    if (auto setting = parse_named_value(text)) {
      settings[std::move(setting->name)] = std::move(setting->value);
    }
  }
  return settings;
}

}  // namespace millrace::inline v0::cli
