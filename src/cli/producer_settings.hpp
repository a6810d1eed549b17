#pragma once
#include <millrace/producer.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::cli {

/// What --config says of a producer.
struct ProducerSettings {
  ProducerOptions producer = {};
  std::optional<std::chrono::milliseconds> transaction_timeout = {};
};

/// Understands `name=value` with Kafka's names of producer settings. invalid_argument says what
/// there is.
Result<void> apply_producer_setting(ProducerSettings& settings, std::string_view text);

/// All of `texts`, each checked before.
ProducerSettings to_producer_settings(const std::vector<std::string>& texts);

/// A line per setting, for the help.
std::string producer_settings_help();

}  // namespace millrace::inline v0::cli
