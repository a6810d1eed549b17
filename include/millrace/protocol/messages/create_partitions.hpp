#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct CreatePartitionsRequest {
  static constexpr const char* name = "CreatePartitionsRequest";
  static constexpr ApiKey api_key = ApiKey::create_partitions;
  static constexpr Versions versions = between(0, 3);
  static constexpr Versions flexible = since(2);

  struct Assignment {
    std::vector<std::int32_t> broker_ids = {};
  };

  struct Topic {
    std::string name = {};
    std::int32_t count = 0;
    std::optional<std::vector<Assignment>> assignments = std::vector<Assignment>();
  };

  std::vector<Topic> topics = {};
  std::int32_t timeout_ms = 0;
  bool validate_only = false;
};

struct CreatePartitionsResponse {
  static constexpr const char* name = "CreatePartitionsResponse";
  static constexpr ApiKey api_key = ApiKey::create_partitions;
  static constexpr Versions versions = between(0, 3);
  static constexpr Versions flexible = since(2);

  struct Topic {
    std::string name = {};
    WireError error_code = WireError::none;
    std::optional<std::string> error_message = {};
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> results = {};
};

}  // namespace millrace::inline v0::protocol
