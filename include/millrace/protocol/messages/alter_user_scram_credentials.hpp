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

struct AlterUserScramCredentialsRequest {
  static constexpr const char* name = "AlterUserScramCredentialsRequest";
  static constexpr ApiKey api_key = ApiKey::alter_user_scram_credentials;
  static constexpr Versions versions = between(0, 0);
  static constexpr Versions flexible = since(0);

  struct Deletion {
    std::string name = {};
    /// 1: SCRAM-SHA-256, 2: SCRAM-SHA-512.
    std::int8_t mechanism = 0;
  };

  /// Adds a credential or replaces it; holds what is secret.
  struct Upsertion {
    std::string name = {};
    /// 1: SCRAM-SHA-256, 2: SCRAM-SHA-512.
    std::int8_t mechanism = 0;
    std::int32_t iterations = 0;
    Bytes salt = {};
    Bytes salted_password = {};
  };

  std::vector<Deletion> deletions = {};
  std::vector<Upsertion> upsertions = {};
};

struct AlterUserScramCredentialsResponse {
  static constexpr const char* name = "AlterUserScramCredentialsResponse";
  static constexpr ApiKey api_key = ApiKey::alter_user_scram_credentials;
  static constexpr Versions versions = between(0, 0);
  static constexpr Versions flexible = since(0);

  struct User {
    std::string user = {};
    WireError error_code = WireError::none;
    std::optional<std::string> error_message = "";
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<User> results = {};
};

}  // namespace millrace::inline v0::protocol
