#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct CreateTopicsRequest {
  static constexpr const char* name = "CreateTopicsRequest";
  static constexpr ApiKey api_key = ApiKey::create_topics;
  static constexpr Versions versions = between(0, 7);
  static constexpr Versions flexible = since(5);

  struct Assignment {
    std::int32_t partition_index = 0;
    std::vector<std::int32_t> broker_ids = {};
  };

  struct Config {
    std::string name = {};
    std::optional<std::string> value = "";
  };

  struct Topic {
    std::string name = {};
    /// -1: the broker's default, or by the assignments.
    std::int32_t num_partitions = 0;
    /// -1: the broker's default, or by the assignments.
    std::int16_t replication_factor = 0;
    std::vector<Assignment> assignments = {};
    std::vector<Config> configs = {};
  };

  std::vector<Topic> topics = {};
  std::int32_t timeout_ms = 60000;
  bool validate_only = false;
};

struct CreateTopicsResponse {
  static constexpr const char* name = "CreateTopicsResponse";
  static constexpr ApiKey api_key = ApiKey::create_topics;
  static constexpr Versions versions = between(0, 7);
  static constexpr Versions flexible = since(5);

  struct Config {
    std::string name = {};
    std::optional<std::string> value = "";
    bool read_only = false;
    std::int8_t config_source = -1;
    bool is_sensitive = false;
  };

  struct Topic {
    std::string name = {};
    Uuid topic_id = {};
    WireError error_code = WireError::none;
    std::optional<std::string> error_message = "";
    WireError topic_config_error_code = WireError::none;
    std::int32_t num_partitions = -1;
    std::int16_t replication_factor = -1;
    std::optional<std::vector<Config>> configs = std::vector<Config>();
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics = {};
};

}  // namespace millrace::inline v0::protocol
