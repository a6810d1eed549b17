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

struct JoinGroupRequest {
  static constexpr const char* name = "JoinGroupRequest";
  static constexpr ApiKey api_key = ApiKey::join_group;
  static constexpr Versions versions = between(0, 9);
  static constexpr Versions flexible = since(6);

  struct Protocol {
    std::string name = {};
    Bytes metadata = {};
  };

  std::string group_id = {};
  std::int32_t session_timeout_ms = 0;
  /// -1: the session timeout, in v0.
  std::int32_t rebalance_timeout_ms = -1;
  /// Empty from a new member.
  std::string member_id = {};
  std::optional<std::string> group_instance_id = {};
  std::string protocol_type = {};
  std::vector<Protocol> protocols = {};
  std::optional<std::string> reason = {};
};

struct JoinGroupResponse {
  static constexpr const char* name = "JoinGroupResponse";
  static constexpr ApiKey api_key = ApiKey::join_group;
  static constexpr Versions versions = between(0, 9);
  static constexpr Versions flexible = since(6);

  struct Member {
    std::string member_id = {};
    std::optional<std::string> group_instance_id = {};
    Bytes metadata = {};
  };

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
  std::int32_t generation_id = -1;
  std::optional<std::string> protocol_type = {};
  std::optional<std::string> protocol_name = "";
  std::string leader = {};
  bool skip_assignment = false;
  std::string member_id = {};
  std::vector<Member> members = {};
};

}  // namespace millrace::inline v0::protocol
