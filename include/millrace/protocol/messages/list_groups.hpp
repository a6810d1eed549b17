#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct ListGroupsRequest {
  static constexpr const char* name = "ListGroupsRequest";
  static constexpr ApiKey api_key = ApiKey::list_groups;
  static constexpr Versions versions = between(0, 5);
  static constexpr Versions flexible = since(3);

  /// Empty is all.
  std::vector<std::string> states_filter = {};
  /// Empty is all.
  std::vector<std::string> types_filter = {};
};

struct ListGroupsResponse {
  static constexpr const char* name = "ListGroupsResponse";
  static constexpr ApiKey api_key = ApiKey::list_groups;
  static constexpr Versions versions = between(0, 5);
  static constexpr Versions flexible = since(3);

  struct Group {
    std::string group_id = {};
    std::string protocol_type = {};
    std::string group_state = {};
    std::string group_type = {};
  };

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
  std::vector<Group> groups = {};
};

}  // namespace millrace::inline v0::protocol
