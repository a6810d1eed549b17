#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct DeleteRecordsRequest {
  static constexpr const char* name = "DeleteRecordsRequest";
  static constexpr ApiKey api_key = ApiKey::delete_records;
  static constexpr Versions versions = between(0, 2);
  static constexpr Versions flexible = since(2);

  struct Partition {
    std::int32_t partition_index = 0;
    /// The new begin of the log; -1 is the high watermark.
    std::int64_t offset = 0;
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> partitions = {};
  };

  std::vector<Topic> topics = {};
  std::int32_t timeout_ms = 0;
};

struct DeleteRecordsResponse {
  static constexpr const char* name = "DeleteRecordsResponse";
  static constexpr ApiKey api_key = ApiKey::delete_records;
  static constexpr Versions versions = between(0, 2);
  static constexpr Versions flexible = since(2);

  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t low_watermark = 0;
    WireError error_code = WireError::none;
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> partitions = {};
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics = {};
};

}  // namespace millrace::inline v0::protocol
