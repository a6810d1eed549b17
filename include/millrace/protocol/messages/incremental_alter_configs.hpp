#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct IncrementalAlterConfigsRequest {
  static constexpr const char* name = "IncrementalAlterConfigsRequest";
  static constexpr ApiKey api_key = ApiKey::incremental_alter_configs;
  static constexpr Versions versions = between(0, 1);
  static constexpr Versions flexible = since(1);

  struct Config {
    std::string name = {};
    /// 0: set, 1: delete, 2: append, 3: subtract.
    std::int8_t config_operation = 0;
    std::optional<std::string> value = "";
  };

  struct Resource {
    /// 2: topic, 4: broker, 8: loggers of a broker.
    std::int8_t resource_type = 0;
    std::string resource_name = {};
    std::vector<Config> configs = {};
  };

  std::vector<Resource> resources = {};
  bool validate_only = false;
};

struct IncrementalAlterConfigsResponse {
  static constexpr const char* name = "IncrementalAlterConfigsResponse";
  static constexpr ApiKey api_key = ApiKey::incremental_alter_configs;
  static constexpr Versions versions = between(0, 1);
  static constexpr Versions flexible = since(1);

  struct Resource {
    WireError error_code = WireError::none;
    std::optional<std::string> error_message = "";
    std::int8_t resource_type = 0;
    std::string resource_name = {};
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Resource> responses = {};
};

}  // namespace millrace::inline v0::protocol
