#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>

namespace millrace::inline v0::protocol {

struct HeartbeatRequest {
  static constexpr const char* name = "HeartbeatRequest";
  static constexpr ApiKey api_key = ApiKey::heartbeat;
  static constexpr Versions versions = between(0, 4);
  static constexpr Versions flexible = since(4);

  std::string group_id = {};
  std::int32_t generation_id = 0;
  std::string member_id = {};
  std::optional<std::string> group_instance_id = {};
};

struct HeartbeatResponse {
  static constexpr const char* name = "HeartbeatResponse";
  static constexpr ApiKey api_key = ApiKey::heartbeat;
  static constexpr Versions versions = between(0, 4);
  static constexpr Versions flexible = since(4);

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
};

}  // namespace millrace::inline v0::protocol
