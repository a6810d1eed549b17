#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct OffsetDeleteRequest {
  static constexpr const char* name = "OffsetDeleteRequest";
  static constexpr ApiKey api_key = ApiKey::offset_delete;
  static constexpr Versions versions = between(0, 0);
  static constexpr Versions flexible = no_versions;

  struct Partition {
    std::int32_t partition_index = 0;
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> partitions = {};
  };

  std::string group_id = {};
  std::vector<Topic> topics = {};
};

struct OffsetDeleteResponse {
  static constexpr const char* name = "OffsetDeleteResponse";
  static constexpr ApiKey api_key = ApiKey::offset_delete;
  static constexpr Versions versions = between(0, 0);
  static constexpr Versions flexible = no_versions;

  struct Partition {
    std::int32_t partition_index = 0;
    WireError error_code = WireError::none;
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> partitions = {};
  };

  WireError error_code = WireError::none;
  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics = {};
};

}  // namespace millrace::inline v0::protocol
