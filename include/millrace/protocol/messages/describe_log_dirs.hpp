#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct DescribeLogDirsRequest {
  static constexpr const char* name = "DescribeLogDirsRequest";
  static constexpr ApiKey api_key = ApiKey::describe_log_dirs;
  static constexpr Versions versions = between(0, 4);
  static constexpr Versions flexible = since(2);

  struct Topic {
    std::string topic = {};
    std::vector<std::int32_t> partitions = {};
  };

  /// Null is all.
  std::optional<std::vector<Topic>> topics = std::vector<Topic>();
};

struct DescribeLogDirsResponse {
  static constexpr const char* name = "DescribeLogDirsResponse";
  static constexpr ApiKey api_key = ApiKey::describe_log_dirs;
  static constexpr Versions versions = between(0, 4);
  static constexpr Versions flexible = since(2);

  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t partition_size = 0;
    std::int64_t offset_lag = 0;
    bool is_future_key = false;
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> partitions = {};
  };

  struct Directory {
    WireError error_code = WireError::none;
    std::string log_dir = {};
    std::vector<Topic> topics = {};
    std::int64_t total_bytes = -1;
    std::int64_t usable_bytes = -1;
  };

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
  std::vector<Directory> results = {};
};

}  // namespace millrace::inline v0::protocol
