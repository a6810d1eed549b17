#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

/// A null filter matches all. Numbers of types and operations are those of Kafka's ACLs, 1 is any.
struct DescribeAclsRequest {
  static constexpr const char* name = "DescribeAclsRequest";
  static constexpr ApiKey api_key = ApiKey::describe_acls;
  static constexpr Versions versions = between(0, 3);
  static constexpr Versions flexible = since(2);

  std::int8_t resource_type_filter = 0;
  std::optional<std::string> resource_name_filter = "";
  /// 1: any, 2: match, 3: literal, 4: prefixed.
  std::int8_t pattern_type_filter = 3;
  std::optional<std::string> principal_filter = "";
  std::optional<std::string> host_filter = "";
  std::int8_t operation = 0;
  std::int8_t permission_type = 0;
};

struct DescribeAclsResponse {
  static constexpr const char* name = "DescribeAclsResponse";
  static constexpr ApiKey api_key = ApiKey::describe_acls;
  static constexpr Versions versions = between(0, 3);
  static constexpr Versions flexible = since(2);

  struct Acl {
    std::string principal = {};
    std::string host = {};
    std::int8_t operation = 0;
    std::int8_t permission_type = 0;
  };

  struct Resource {
    std::int8_t resource_type = 0;
    std::string resource_name = {};
    std::int8_t pattern_type = 3;
    std::vector<Acl> acls = {};
  };

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
  std::optional<std::string> error_message = "";
  std::vector<Resource> resources = {};
};

}  // namespace millrace::inline v0::protocol
