#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct DescribeConfigsRequest {
  static constexpr const char* name = "DescribeConfigsRequest";
  static constexpr ApiKey api_key = ApiKey::describe_configs;
  static constexpr Versions versions = between(0, 4);
  static constexpr Versions flexible = since(4);

  struct Resource {
    /// 2: topic, 4: broker, 8: loggers of a broker.
    std::int8_t resource_type = 0;
    std::string resource_name = {};
    /// Null is all.
    std::optional<std::vector<std::string>> configuration_keys = std::vector<std::string>();
  };

  std::vector<Resource> resources = {};
  bool include_synonyms = false;
  bool include_documentation = false;
};

struct DescribeConfigsResponse {
  static constexpr const char* name = "DescribeConfigsResponse";
  static constexpr ApiKey api_key = ApiKey::describe_configs;
  static constexpr Versions versions = between(0, 4);
  static constexpr Versions flexible = since(4);

  struct Synonym {
    std::string name = {};
    std::optional<std::string> value = "";
    std::int8_t source = 0;
  };

  struct Config {
    std::string name = {};
    std::optional<std::string> value = "";
    bool read_only = false;
    bool is_default = false;
    /// 1: the topic, 2 and 3: a dynamic setting of this or all brokers, 4: the file, 5: a default.
    std::int8_t config_source = -1;
    bool is_sensitive = false;
    std::vector<Synonym> synonyms = {};
    std::int8_t config_type = 0;
    std::optional<std::string> documentation = "";
  };

  struct Result {
    WireError error_code = WireError::none;
    std::optional<std::string> error_message = "";
    std::int8_t resource_type = 0;
    std::string resource_name = {};
    std::vector<Config> configs = {};
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Result> results = {};
};

}  // namespace millrace::inline v0::protocol
