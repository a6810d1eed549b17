#pragma once
#include <chrono>
#include <millrace/listener.hpp>
#include <optional>
#include <string>
#include <vector>

#include "properties.hpp"

namespace millrace::inline v0::cli {

/// What a file like Kafka's server.properties says of a server.
struct ServerSettings {
  ListenOptions listen = {};
  std::optional<std::string> data = {};  ///< log.dirs
  std::optional<std::chrono::milliseconds> retention_check_interval = {};
  /// What is known to nobody here and has no effect, with its file and line.
  std::vector<std::string> unknown = {};
};

/// invalid_argument names file, line, setting and what it takes.
Result<ServerSettings> understand(const std::vector<Property>& properties, const std::string& file);

}  // namespace millrace::inline v0::cli
