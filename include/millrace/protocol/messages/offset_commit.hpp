#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct OffsetCommitRequest {
  static constexpr const char* name = "OffsetCommitRequest";
  static constexpr ApiKey api_key = ApiKey::offset_commit;
  static constexpr Versions versions = between(1, 9);
  static constexpr Versions flexible = since(8);

  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t committed_offset = 0;
    std::int32_t committed_leader_epoch = -1;
    /// -1: now; v1 only.
    std::int64_t commit_timestamp = -1;
    std::optional<std::string> committed_metadata = "";
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> partitions = {};
  };

  std::string group_id = {};
  std::int32_t generation_id_or_member_epoch = -1;
  std::string member_id = {};
  std::optional<std::string> group_instance_id = {};
  /// -1: the broker's.
  std::int64_t retention_time_ms = -1;
  std::vector<Topic> topics = {};
};

struct OffsetCommitResponse {
  static constexpr const char* name = "OffsetCommitResponse";
  static constexpr ApiKey api_key = ApiKey::offset_commit;
  static constexpr Versions versions = between(1, 9);
  static constexpr Versions flexible = since(8);

  struct Partition {
    std::int32_t partition_index = 0;
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
