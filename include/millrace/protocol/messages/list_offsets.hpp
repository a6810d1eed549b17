#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct ListOffsetsRequest {
  static constexpr const char* name = "ListOffsetsRequest";
  static constexpr ApiKey api_key = ApiKey::list_offsets;
  static constexpr Versions versions = between(0, 9);
  static constexpr Versions flexible = since(6);

  struct Partition {
    std::int32_t partition_index = 0;
    /// What the client takes the epoch for; -1 is not to be checked.
    std::int32_t current_leader_epoch = -1;
    /// -1: the end, -2: the begin, -3: the largest timestamp, -4: the local begin, -5: the last
    /// tiered; else the first record of that time or a later one, in ms.
    std::int64_t timestamp = 0;
    std::int32_t max_num_offsets = 1;
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> partitions = {};
  };

  std::int32_t replica_id = 0;
  /// 0: all records, 1: those of committed transactions.
  std::int8_t isolation_level = 0;
  std::vector<Topic> topics = {};
};

struct ListOffsetsResponse {
  static constexpr const char* name = "ListOffsetsResponse";
  static constexpr ApiKey api_key = ApiKey::list_offsets;
  static constexpr Versions versions = between(0, 9);
  static constexpr Versions flexible = since(6);

  struct Partition {
    std::int32_t partition_index = 0;
    WireError error_code = WireError::none;
    /// From the newest down; v0 only.
    std::vector<std::int64_t> old_style_offsets = {};
    std::int64_t timestamp = -1;
    std::int64_t offset = -1;
    std::int32_t leader_epoch = -1;
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> partitions = {};
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics = {};
};

}  // namespace millrace::inline v0::protocol
