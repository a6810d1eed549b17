#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct TxnOffsetCommitRequest {
  static constexpr const char* name = "TxnOffsetCommitRequest";
  static constexpr ApiKey api_key = ApiKey::txn_offset_commit;
  static constexpr Versions versions = between(0, 4);
  static constexpr Versions flexible = since(3);

  struct Partition {
    std::int32_t partition_index = 0;
    std::int64_t committed_offset = 0;
    std::int32_t committed_leader_epoch = -1;
    std::optional<std::string> committed_metadata = "";
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> partitions = {};
  };

  std::string transactional_id = {};
  std::string group_id = {};
  std::int64_t producer_id = 0;
  std::int16_t producer_epoch = 0;
  std::int32_t generation_id = -1;
  std::string member_id = {};
  std::optional<std::string> group_instance_id = {};
  std::vector<Topic> topics = {};
};

struct TxnOffsetCommitResponse {
  static constexpr const char* name = "TxnOffsetCommitResponse";
  static constexpr ApiKey api_key = ApiKey::txn_offset_commit;
  static constexpr Versions versions = between(0, 4);
  static constexpr Versions flexible = since(3);

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
