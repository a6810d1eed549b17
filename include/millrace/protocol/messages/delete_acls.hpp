#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct DeleteAclsRequest {
  static constexpr const char* name = "DeleteAclsRequest";
  static constexpr ApiKey api_key = ApiKey::delete_acls;
  static constexpr Versions versions = between(0, 3);
  static constexpr Versions flexible = since(2);

  struct Filter {
    std::int8_t resource_type_filter = 0;
    std::optional<std::string> resource_name_filter = "";
    /// 1: any, 2: match, 3: literal, 4: prefixed.
    std::int8_t pattern_type_filter = 3;
    std::optional<std::string> principal_filter = "";
    std::optional<std::string> host_filter = "";
    std::int8_t operation = 0;
    std::int8_t permission_type = 0;
  };

  std::vector<Filter> filters = {};
};

struct DeleteAclsResponse {
  static constexpr const char* name = "DeleteAclsResponse";
  static constexpr ApiKey api_key = ApiKey::delete_acls;
  static constexpr Versions versions = between(0, 3);
  static constexpr Versions flexible = since(2);

  struct MatchingAcl {
    WireError error_code = WireError::none;
    std::optional<std::string> error_message = "";
    std::int8_t resource_type = 0;
    std::string resource_name = {};
    std::int8_t pattern_type = 3;
    std::string principal = {};
    std::string host = {};
    std::int8_t operation = 0;
    std::int8_t permission_type = 0;
  };

  struct FilterResult {
    WireError error_code = WireError::none;
    std::optional<std::string> error_message = "";
    std::vector<MatchingAcl> matching_acls = {};
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<FilterResult> filter_results = {};
};

}  // namespace millrace::inline v0::protocol
