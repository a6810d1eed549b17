#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct CreateAclsRequest {
  static constexpr const char* name = "CreateAclsRequest";
  static constexpr ApiKey api_key = ApiKey::create_acls;
  static constexpr Versions versions = between(0, 3);
  static constexpr Versions flexible = since(2);

  struct Acl {
    std::int8_t resource_type = 0;
    std::string resource_name = {};
    /// 3: literal, 4: prefixed.
    std::int8_t resource_pattern_type = 3;
    std::string principal = {};
    std::string host = {};
    std::int8_t operation = 0;
    std::int8_t permission_type = 0;
  };

  std::vector<Acl> creations = {};
};

struct CreateAclsResponse {
  static constexpr const char* name = "CreateAclsResponse";
  static constexpr ApiKey api_key = ApiKey::create_acls;
  static constexpr Versions versions = between(0, 3);
  static constexpr Versions flexible = since(2);

  struct Result {
    WireError error_code = WireError::none;
    std::optional<std::string> error_message = "";
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Result> results = {};
};

}  // namespace millrace::inline v0::protocol
