#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct ApiVersionsRequest {
  static constexpr const char* name = "ApiVersionsRequest";
  static constexpr ApiKey api_key = ApiKey::api_versions;
  static constexpr Versions versions = between(0, 4);
  static constexpr Versions flexible = since(3);

  std::string client_software_name = {};
  std::string client_software_version = {};
};

/// Always behind a response header v0. What is asked in a version that the server does not have is
/// answered in v0.
struct ApiVersionsResponse {
  static constexpr const char* name = "ApiVersionsResponse";
  static constexpr ApiKey api_key = ApiKey::api_versions;
  static constexpr Versions versions = between(0, 4);
  static constexpr Versions flexible = since(3);

  struct Range {
    ApiKey api_key = {};
    std::int16_t min_version = 0;
    std::int16_t max_version = 0;
  };

  struct SupportedFeature {
    std::string name = {};
    std::int16_t min_version = 0;
    std::int16_t max_version = 0;
  };

  struct FinalizedFeature {
    std::string name = {};
    std::int16_t max_version_level = 0;
    std::int16_t min_version_level = 0;
  };

  WireError error_code = WireError::none;
  std::vector<Range> api_keys = {};
  std::int32_t throttle_time_ms = 0;
  std::vector<SupportedFeature> supported_features = {};
  /// -1: not known.
  std::int64_t finalized_features_epoch = -1;
  std::vector<FinalizedFeature> finalized_features = {};
  bool zk_migration_ready = false;
};

}  // namespace millrace::inline v0::protocol
