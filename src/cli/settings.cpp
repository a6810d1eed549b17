#include "settings.hpp"

#include <fmt/format.h>

#include <millrace/engine/topic_config.hpp>

namespace millrace::inline v0::cli {

Result<NamedValue> parse_named_value(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos) {
    return Error(Errc::invalid_argument, fmt::format("\"{}\" is not of the form name=value", text));
  }
  return NamedValue{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

Result<void> check_setting(std::string_view text) {
  MILLRACE_TRY(const NamedValue setting, parse_named_value(text));
  MILLRACE_CHECK(engine::parse_topic_config({{setting.name, setting.value}}));
  return {};
}

Result<void> check_change(std::string_view text) {
  MILLRACE_TRY(const NamedValue setting, parse_named_value(text));
  return setting.value.empty() ? Result<void>() : check_setting(text);
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
