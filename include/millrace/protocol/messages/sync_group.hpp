#pragma once
#include <cstdint>
#include <millrace/core/bytes.hpp>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct SyncGroupRequest {
  static constexpr const char* name = "SyncGroupRequest";
  static constexpr ApiKey api_key = ApiKey::sync_group;
  static constexpr Versions versions = between(0, 5);
  static constexpr Versions flexible = since(4);

  struct Assignment {
    std::string member_id = {};
    Bytes assignment = {};
  };

  std::string group_id = {};
  std::int32_t generation_id = 0;
  std::string member_id = {};
  std::optional<std::string> group_instance_id = {};
  std::optional<std::string> protocol_type = {};
  std::optional<std::string> protocol_name = {};
  /// The leader's, for all; empty from the others.
  std::vector<Assignment> assignments = {};
};

struct SyncGroupResponse {
  static constexpr const char* name = "SyncGroupResponse";
  static constexpr ApiKey api_key = ApiKey::sync_group;
  static constexpr Versions versions = between(0, 5);
  static constexpr Versions flexible = since(4);

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
  std::optional<std::string> protocol_type = {};
  std::optional<std::string> protocol_name = {};
  Bytes assignment = {};
};

}  // namespace millrace::inline v0::protocol
