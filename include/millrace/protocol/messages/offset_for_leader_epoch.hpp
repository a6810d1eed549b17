#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct OffsetForLeaderEpochRequest {
  static constexpr const char* name = "OffsetForLeaderEpochRequest";
  static constexpr ApiKey api_key = ApiKey::offset_for_leader_epoch;
  static constexpr Versions versions = between(0, 4);
  static constexpr Versions flexible = since(4);

  struct Partition {
    std::int32_t partition = 0;
    /// What the client takes the epoch for; -1 is not to be checked.
    std::int32_t current_leader_epoch = -1;
    std::int32_t leader_epoch = 0;
  };

  struct Topic {
    std::string topic = {};
    std::vector<Partition> partitions = {};
  };

  std::int32_t replica_id = -2;
  std::vector<Topic> topics = {};
};

struct OffsetForLeaderEpochResponse {
  static constexpr const char* name = "OffsetForLeaderEpochResponse";
  static constexpr ApiKey api_key = ApiKey::offset_for_leader_epoch;
  static constexpr Versions versions = between(0, 4);
  static constexpr Versions flexible = since(4);

  struct Partition {
    WireError error_code = WireError::none;
    std::int32_t partition = 0;
    std::int32_t leader_epoch = -1;
    std::int64_t end_offset = -1;
  };

  struct Topic {
    std::string topic = {};
    std::vector<Partition> partitions = {};
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics = {};
};

}  // namespace millrace::inline v0::protocol
