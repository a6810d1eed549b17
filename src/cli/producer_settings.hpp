#pragma once
#include <millrace/producer.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::cli {

/// Understands `name=value` with Kafka's names of producer settings. invalid_argument says what
/// there is.
Result<void> apply_producer_setting(ProducerOptions& options, std::string_view text);

/// All of `texts`, each checked before.
ProducerOptions to_producer_options(const std::vector<std::string>& texts);

/// A line per setting, for the help.
std::string producer_settings_help();

}  // namespace millrace::inline v0::cli
