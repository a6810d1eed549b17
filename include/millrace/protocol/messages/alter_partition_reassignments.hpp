#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct AlterPartitionReassignmentsRequest {
  static constexpr const char* name = "AlterPartitionReassignmentsRequest";
  static constexpr ApiKey api_key = ApiKey::alter_partition_reassignments;
  static constexpr Versions versions = between(0, 0);
  static constexpr Versions flexible = since(0);

  struct Partition {
    std::int32_t partition_index = 0;
    /// Null cancels the reassignment under way.
    std::optional<std::vector<std::int32_t>> replicas = {};
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> partitions = {};
  };

  std::int32_t timeout_ms = 60000;
  std::vector<Topic> topics = {};
};

struct AlterPartitionReassignmentsResponse {
  static constexpr const char* name = "AlterPartitionReassignmentsResponse";
  static constexpr ApiKey api_key = ApiKey::alter_partition_reassignments;
  static constexpr Versions versions = between(0, 0);
  static constexpr Versions flexible = since(0);

  struct Partition {
    std::int32_t partition_index = 0;
    WireError error_code = WireError::none;
    std::optional<std::string> error_message = "";
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> partitions = {};
  };

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
  std::optional<std::string> error_message = "";
  std::vector<Topic> responses = {};
};

}  // namespace millrace::inline v0::protocol
