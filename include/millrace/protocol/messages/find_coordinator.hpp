#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

/// One key up to v3, any number from v4 on.
struct FindCoordinatorRequest {
  static constexpr const char* name = "FindCoordinatorRequest";
  static constexpr ApiKey api_key = ApiKey::find_coordinator;
  static constexpr Versions versions = between(0, 6);
  static constexpr Versions flexible = since(3);

  std::string key = {};
  /// 0: a group, 1: a transactional id.
  std::int8_t key_type = 0;
  std::vector<std::string> coordinator_keys = {};
};

/// One key up to v3, any number from v4 on.
struct FindCoordinatorResponse {
  static constexpr const char* name = "FindCoordinatorResponse";
  static constexpr ApiKey api_key = ApiKey::find_coordinator;
  static constexpr Versions versions = between(0, 6);
  static constexpr Versions flexible = since(3);

  struct Coordinator {
    std::string key = {};
    std::int32_t node_id = 0;
    std::string host = {};
    std::int32_t port = 0;
    WireError error_code = WireError::none;
    std::optional<std::string> error_message = "";
  };

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
  std::optional<std::string> error_message = "";
  std::int32_t node_id = 0;
  std::string host = {};
  std::int32_t port = 0;
  std::vector<Coordinator> coordinators = {};
};

}  // namespace millrace::inline v0::protocol
