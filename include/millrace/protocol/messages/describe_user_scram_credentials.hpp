#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct DescribeUserScramCredentialsRequest {
  static constexpr const char* name = "DescribeUserScramCredentialsRequest";
  static constexpr ApiKey api_key = ApiKey::describe_user_scram_credentials;
  static constexpr Versions versions = between(0, 0);
  static constexpr Versions flexible = since(0);

  struct User {
    std::string name = {};
  };

  /// Null or empty is all.
  std::optional<std::vector<User>> users = std::vector<User>();
};

struct DescribeUserScramCredentialsResponse {
  static constexpr const char* name = "DescribeUserScramCredentialsResponse";
  static constexpr ApiKey api_key = ApiKey::describe_user_scram_credentials;
  static constexpr Versions versions = between(0, 0);
  static constexpr Versions flexible = since(0);

  struct Credential {
    /// 1: SCRAM-SHA-256, 2: SCRAM-SHA-512.
    std::int8_t mechanism = 0;
    std::int32_t iterations = 0;
  };

  struct User {
    std::string user = {};
    WireError error_code = WireError::none;
    std::optional<std::string> error_message = "";
    std::vector<Credential> credential_infos = {};
  };

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
  std::optional<std::string> error_message = "";
  std::vector<User> results = {};
};

}  // namespace millrace::inline v0::protocol
