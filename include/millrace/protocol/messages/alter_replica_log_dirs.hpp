#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct AlterReplicaLogDirsRequest {
  static constexpr const char* name = "AlterReplicaLogDirsRequest";
  static constexpr ApiKey api_key = ApiKey::alter_replica_log_dirs;
  static constexpr Versions versions = between(0, 2);
  static constexpr Versions flexible = since(2);

  struct Topic {
    std::string name = {};
    std::vector<std::int32_t> partitions = {};
  };

  struct Directory {
    std::string path = {};
    std::vector<Topic> topics = {};
  };

  std::vector<Directory> dirs = {};
};

struct AlterReplicaLogDirsResponse {
  static constexpr const char* name = "AlterReplicaLogDirsResponse";
  static constexpr ApiKey api_key = ApiKey::alter_replica_log_dirs;
  static constexpr Versions versions = between(0, 2);
  static constexpr Versions flexible = since(2);

  struct Partition {
    std::int32_t partition_index = 0;
    WireError error_code = WireError::none;
  };

  struct Topic {
    std::string topic_name = {};
    std::vector<Partition> partitions = {};
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> results = {};
};

}  // namespace millrace::inline v0::protocol
