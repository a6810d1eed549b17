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

struct DeleteTopicsRequest {
  static constexpr const char* name = "DeleteTopicsRequest";
  static constexpr ApiKey api_key = ApiKey::delete_topics;
  static constexpr Versions versions = between(0, 6);
  static constexpr Versions flexible = since(4);

  struct Topic {
    std::optional<std::string> name = {};
    Uuid topic_id = {};
  };

  std::vector<Topic> topics = {};
  std::vector<std::string> topic_names = {};
  std::int32_t timeout_ms = 0;
};

struct DeleteTopicsResponse {
  static constexpr const char* name = "DeleteTopicsResponse";
  static constexpr ApiKey api_key = ApiKey::delete_topics;
  static constexpr Versions versions = between(0, 6);
  static constexpr Versions flexible = since(4);

  struct Topic {
    std::optional<std::string> name = "";
    Uuid topic_id = {};
    WireError error_code = WireError::none;
    std::optional<std::string> error_message = {};
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> responses = {};
};

}  // namespace millrace::inline v0::protocol
