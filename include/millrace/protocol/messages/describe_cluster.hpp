#pragma once
#include <cstdint>
#include <limits>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct DescribeClusterRequest {
  static constexpr const char* name = "DescribeClusterRequest";
  static constexpr ApiKey api_key = ApiKey::describe_cluster;
  static constexpr Versions versions = between(0, 1);
  static constexpr Versions flexible = since(0);

  bool include_cluster_authorized_operations = false;
  /// 1: brokers, 2: controllers.
  std::int8_t endpoint_type = 1;
};

struct DescribeClusterResponse {
  static constexpr const char* name = "DescribeClusterResponse";
  static constexpr ApiKey api_key = ApiKey::describe_cluster;
  static constexpr Versions versions = between(0, 1);
  static constexpr Versions flexible = since(0);

  struct Broker {
    std::int32_t broker_id = 0;
    std::string host = {};
    std::int32_t port = 0;
    std::optional<std::string> rack = {};
  };

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
  std::optional<std::string> error_message = {};
  std::int8_t endpoint_type = 1;
  std::string cluster_id = {};
  std::int32_t controller_id = -1;
  std::vector<Broker> brokers = {};
  /// A bit for each AclOperation; the least number if it was not asked for.
  std::int32_t cluster_authorized_operations = std::numeric_limits<std::int32_t>::min();
};

}  // namespace millrace::inline v0::protocol
