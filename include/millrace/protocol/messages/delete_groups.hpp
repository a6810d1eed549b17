#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct DeleteGroupsRequest {
  static constexpr const char* name = "DeleteGroupsRequest";
  static constexpr ApiKey api_key = ApiKey::delete_groups;
  static constexpr Versions versions = between(0, 2);
  static constexpr Versions flexible = since(2);

  std::vector<std::string> groups_names = {};
};

struct DeleteGroupsResponse {
  static constexpr const char* name = "DeleteGroupsResponse";
  static constexpr ApiKey api_key = ApiKey::delete_groups;
  static constexpr Versions versions = between(0, 2);
  static constexpr Versions flexible = since(2);

  struct Group {
    std::string group_id = {};
    WireError error_code = WireError::none;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Group> results = {};
};

}  // namespace millrace::inline v0::protocol
