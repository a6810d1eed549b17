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

struct MetadataRequest {
  static constexpr const char* name = "MetadataRequest";
  static constexpr ApiKey api_key = ApiKey::metadata;
  static constexpr Versions versions = between(0, 12);
  static constexpr Versions flexible = since(9);

  struct Topic {
    Uuid topic_id = {};
    std::optional<std::string> name = "";
  };

  /// Null is all topics; in v0 an empty array is.
  std::optional<std::vector<Topic>> topics = std::vector<Topic>();
  bool allow_auto_topic_creation = true;
  bool include_cluster_authorized_operations = false;
  bool include_topic_authorized_operations = false;
};

struct MetadataResponse {
  static constexpr const char* name = "MetadataResponse";
  static constexpr ApiKey api_key = ApiKey::metadata;
  static constexpr Versions versions = between(0, 12);
  static constexpr Versions flexible = since(9);

  struct Broker {
    std::int32_t node_id = 0;
    std::string host = {};
    std::int32_t port = 0;
    std::optional<std::string> rack = {};
  };

  struct Partition {
    WireError error_code = WireError::none;
    std::int32_t partition_index = 0;
    std::int32_t leader_id = 0;
    std::int32_t leader_epoch = -1;
    std::vector<std::int32_t> replica_nodes = {};
    std::vector<std::int32_t> isr_nodes = {};
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

  std::int32_t throttle_time_ms = 0;
  std::vector<Broker> brokers = {};
  std::optional<std::string> cluster_id = {};
  std::int32_t controller_id = -1;
  std::vector<Topic> topics = {};
  /// A bit for each AclOperation; the least number if it was not asked for.
  std::int32_t cluster_authorized_operations = std::numeric_limits<std::int32_t>::min();
};

}  // namespace millrace::inline v0::protocol
