#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

/// One member up to v2, any number from v3 on.
struct LeaveGroupRequest {
  static constexpr const char* name = "LeaveGroupRequest";
  static constexpr ApiKey api_key = ApiKey::leave_group;
  static constexpr Versions versions = between(0, 5);
  static constexpr Versions flexible = since(4);

  struct Member {
    std::string member_id = {};
    std::optional<std::string> group_instance_id = {};
    std::optional<std::string> reason = {};
  };

  std::string group_id = {};
  std::string member_id = {};
  std::vector<Member> members = {};
};

struct LeaveGroupResponse {
  static constexpr const char* name = "LeaveGroupResponse";
  static constexpr ApiKey api_key = ApiKey::leave_group;
  static constexpr Versions versions = between(0, 5);
  static constexpr Versions flexible = since(4);

  struct Member {
    std::string member_id = {};
    std::optional<std::string> group_instance_id = "";
    WireError error_code = WireError::none;
  };

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
  std::vector<Member> members = {};
};

}  // namespace millrace::inline v0::protocol
