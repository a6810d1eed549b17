#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

/// Sets all of a resource anew: what is not named goes to its default.
struct AlterConfigsRequest {
  static constexpr const char* name = "AlterConfigsRequest";
  static constexpr ApiKey api_key = ApiKey::alter_configs;
  static constexpr Versions versions = between(0, 2);
  static constexpr Versions flexible = since(2);

  struct Config {
    std::string name = {};
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

struct AlterConfigsResponse {
  static constexpr const char* name = "AlterConfigsResponse";
  static constexpr ApiKey api_key = ApiKey::alter_configs;
  static constexpr Versions versions = between(0, 2);
  static constexpr Versions flexible = since(2);

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
