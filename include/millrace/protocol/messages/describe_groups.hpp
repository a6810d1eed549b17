#pragma once
#include <cstdint>
#include <limits>
#include <millrace/core/bytes.hpp>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct DescribeGroupsRequest {
  static constexpr const char* name = "DescribeGroupsRequest";
  static constexpr ApiKey api_key = ApiKey::describe_groups;
  static constexpr Versions versions = between(0, 5);
  static constexpr Versions flexible = since(5);

  std::vector<std::string> groups = {};
  bool include_authorized_operations = false;
};

struct DescribeGroupsResponse {
  static constexpr const char* name = "DescribeGroupsResponse";
  static constexpr ApiKey api_key = ApiKey::describe_groups;
  static constexpr Versions versions = between(0, 5);
  static constexpr Versions flexible = since(5);

  struct Member {
    std::string member_id = {};
    std::optional<std::string> group_instance_id = {};
    std::string client_id = {};
    std::string client_host = {};
    Bytes member_metadata = {};
    Bytes member_assignment = {};
  };

  struct Group {
    WireError error_code = WireError::none;
    std::string group_id = {};
    std::string group_state = {};
    std::string protocol_type = {};
    std::string protocol_data = {};
    std::vector<Member> members = {};
    std::int32_t authorized_operations = std::numeric_limits<std::int32_t>::min();
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Group> groups = {};
};

}  // namespace millrace::inline v0::protocol
