#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct ListPartitionReassignmentsRequest {
  static constexpr const char* name = "ListPartitionReassignmentsRequest";
  static constexpr ApiKey api_key = ApiKey::list_partition_reassignments;
  static constexpr Versions versions = between(0, 0);
  static constexpr Versions flexible = since(0);

  struct Topic {
    std::string name = {};
    std::vector<std::int32_t> partition_indexes = {};
  };

  std::int32_t timeout_ms = 60000;
  /// Null is all.
  std::optional<std::vector<Topic>> topics = {};
};

struct ListPartitionReassignmentsResponse {
  static constexpr const char* name = "ListPartitionReassignmentsResponse";
  static constexpr ApiKey api_key = ApiKey::list_partition_reassignments;
  static constexpr Versions versions = between(0, 0);
  static constexpr Versions flexible = since(0);

  struct Partition {
    std::int32_t partition_index = 0;
    std::vector<std::int32_t> replicas = {};
    std::vector<std::int32_t> adding_replicas = {};
    std::vector<std::int32_t> removing_replicas = {};
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> partitions = {};
  };

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
  std::optional<std::string> error_message = "";
  std::vector<Topic> topics = {};
};

}  // namespace millrace::inline v0::protocol
