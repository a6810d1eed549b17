#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

/// One group up to v7, any number from v8 on.
struct OffsetFetchRequest {
  static constexpr const char* name = "OffsetFetchRequest";
  static constexpr ApiKey api_key = ApiKey::offset_fetch;
  static constexpr Versions versions = between(1, 9);
  static constexpr Versions flexible = since(6);

  struct Topic {
    std::string name = {};
    std::vector<std::int32_t> partition_indexes = {};
  };

  struct Group {
    std::string group_id = {};
    std::optional<std::string> member_id = {};
    std::int32_t member_epoch = -1;
    std::optional<std::vector<Topic>> topics = std::vector<Topic>();
  };

  std::string group_id = {};
  std::optional<std::vector<Topic>> topics = std::vector<Topic>();
  std::vector<Group> groups = {};
  /// Offsets that an open transaction may change are an error then.
  bool require_stable = false;
};

/// One group up to v7, any number from v8 on.
struct OffsetFetchResponse {
  static constexpr const char* name = "OffsetFetchResponse";
  static constexpr ApiKey api_key = ApiKey::offset_fetch;
  static constexpr Versions versions = between(1, 9);
  static constexpr Versions flexible = since(6);

  struct Partition {
    std::int32_t partition_index = 0;
    /// -1: none.
    std::int64_t committed_offset = 0;
    std::int32_t committed_leader_epoch = -1;
    std::optional<std::string> metadata = "";
    WireError error_code = WireError::none;
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> partitions = {};
  };

  struct Group {
    std::string group_id = {};
    std::vector<Topic> topics = {};
    WireError error_code = WireError::none;
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics = {};
  WireError error_code = WireError::none;
  std::vector<Group> groups = {};
};

}  // namespace millrace::inline v0::protocol
