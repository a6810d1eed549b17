#pragma once
#include <cstdint>
#include <limits>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct DescribeTopicPartitionsRequest {
  static constexpr const char* name = "DescribeTopicPartitionsRequest";
  static constexpr ApiKey api_key = ApiKey::describe_topic_partitions;
  static constexpr Versions versions = between(0, 0);
  static constexpr Versions flexible = since(0);

  struct Topic {
    std::string name = {};
  };

  struct Cursor {
    std::string topic_name = {};
    std::int32_t partition_index = 0;
  };

  std::vector<Topic> topics = {};
  std::int32_t response_partition_limit = 2000;
  std::optional<Cursor> cursor = {};
};

struct DescribeTopicPartitionsResponse {
  static constexpr const char* name = "DescribeTopicPartitionsResponse";
  static constexpr ApiKey api_key = ApiKey::describe_topic_partitions;
  static constexpr Versions versions = between(0, 0);
  static constexpr Versions flexible = since(0);

  struct Partition {
    WireError error_code = WireError::none;
    std::int32_t partition_index = 0;
    std::int32_t leader_id = 0;
    std::int32_t leader_epoch = -1;
    std::vector<std::int32_t> replica_nodes = {};
    std::vector<std::int32_t> isr_nodes = {};
    std::optional<std::vector<std::int32_t>> eligible_leader_replicas = {};
    std::optional<std::vector<std::int32_t>> last_known_elr = {};
    std::vector<std::int32_t> offline_replicas = {};
  };

  struct Topic {
    WireError error_code = WireError::none;
    std::optional<std::string> name = "";
    Uuid topic_id = {};
    bool is_internal = false;
    std::vector<Partition> partitions = {};
    /// A bit for each AclOperation; the least number if it was not asked for.
    std::int32_t topic_authorized_operations = std::numeric_limits<std::int32_t>::min();
  };

  struct Cursor {
    std::string topic_name = {};
    std::int32_t partition_index = 0;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics = {};
  std::optional<Cursor> next_cursor = {};
};

}  // namespace millrace::inline v0::protocol
