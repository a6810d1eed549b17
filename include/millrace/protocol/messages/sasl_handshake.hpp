#pragma once
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct SaslHandshakeRequest {
  static constexpr const char* name = "SaslHandshakeRequest";
  static constexpr ApiKey api_key = ApiKey::sasl_handshake;
  static constexpr Versions versions = between(0, 1);
  static constexpr Versions flexible = no_versions;

  std::string mechanism = {};
};

struct SaslHandshakeResponse {
  static constexpr const char* name = "SaslHandshakeResponse";
  static constexpr ApiKey api_key = ApiKey::sasl_handshake;
  static constexpr Versions versions = between(0, 1);
  static constexpr Versions flexible = no_versions;

  WireError error_code = WireError::none;
  std::vector<std::string> mechanisms = {};
};

}  // namespace millrace::inline v0::protocol
