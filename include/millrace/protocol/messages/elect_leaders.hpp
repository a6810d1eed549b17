#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct ElectLeadersRequest {
  static constexpr const char* name = "ElectLeadersRequest";
  static constexpr ApiKey api_key = ApiKey::elect_leaders;
  static constexpr Versions versions = between(0, 2);
  static constexpr Versions flexible = since(2);

  struct Topic {
    std::string topic = {};
    std::vector<std::int32_t> partitions = {};
  };

  /// 0: the preferred leader, 1: any that is alive.
  std::int8_t election_type = 0;
  /// Null is all.
  std::optional<std::vector<Topic>> topic_partitions = std::vector<Topic>();
  std::int32_t timeout_ms = 60000;
};

struct ElectLeadersResponse {
  static constexpr const char* name = "ElectLeadersResponse";
  static constexpr ApiKey api_key = ApiKey::elect_leaders;
  static constexpr Versions versions = between(0, 2);
  static constexpr Versions flexible = since(2);

  struct Partition {
    std::int32_t partition_id = 0;
    WireError error_code = WireError::none;
    std::optional<std::string> error_message = "";
  };

  struct Topic {
    std::string topic = {};
    std::vector<Partition> partition_result = {};
  };

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
  std::vector<Topic> replica_election_results = {};
};

}  // namespace millrace::inline v0::protocol
