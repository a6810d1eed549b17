#pragma once
#include <cstdint>
#include <millrace/core/bytes.hpp>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>

namespace millrace::inline v0::protocol {

/// Holds what is secret.
struct SaslAuthenticateRequest {
  static constexpr const char* name = "SaslAuthenticateRequest";
  static constexpr ApiKey api_key = ApiKey::sasl_authenticate;
  static constexpr Versions versions = between(0, 2);
  static constexpr Versions flexible = since(2);

  Bytes auth_bytes = {};
};

struct SaslAuthenticateResponse {
  static constexpr const char* name = "SaslAuthenticateResponse";
  static constexpr ApiKey api_key = ApiKey::sasl_authenticate;
  static constexpr Versions versions = between(0, 2);
  static constexpr Versions flexible = since(2);

  WireError error_code = WireError::none;
  std::optional<std::string> error_message = "";
  Bytes auth_bytes = {};
  std::int64_t session_lifetime_ms = 0;
};

}  // namespace millrace::inline v0::protocol
