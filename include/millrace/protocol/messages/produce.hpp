#pragma once
#include <cstdint>
#include <millrace/core/bytes.hpp>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/messages/current_leader.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

/// Has no response if acks is 0.
struct ProduceRequest {
  static constexpr const char* name = "ProduceRequest";
  static constexpr ApiKey api_key = ApiKey::produce;
  static constexpr Versions versions = between(0, 11);
  static constexpr Versions flexible = since(9);

  struct Partition {
    std::int32_t index = 0;
    std::optional<Bytes> records = {};
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> partition_data = {};
  };

  std::optional<std::string> transactional_id = {};
  /// -1: all replicas in sync, 1: the leader, 0: there is no response at all.
  std::int16_t acks = 0;
  std::int32_t timeout_ms = 0;
  std::vector<Topic> topic_data = {};
};

struct ProduceResponse {
  static constexpr const char* name = "ProduceResponse";
  static constexpr ApiKey api_key = ApiKey::produce;
  static constexpr Versions versions = between(0, 11);
  static constexpr Versions flexible = since(9);

  struct RecordError {
    std::int32_t batch_index = 0;
    std::optional<std::string> batch_index_error_message = {};
  };

  struct Partition {
    std::int32_t index = 0;
    WireError error_code = WireError::none;
    /// -1 if there is an error.
    std::int64_t base_offset = 0;
    /// -1 if the records keep the time of their producer.
    std::int64_t log_append_time_ms = -1;
    std::int64_t log_start_offset = -1;
    std::vector<RecordError> record_errors = {};
    std::optional<std::string> error_message = {};
    LeaderIdAndEpoch current_leader = {};
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> partition_responses = {};
  };

  std::vector<Topic> responses = {};
  std::int32_t throttle_time_ms = 0;
  std::vector<NodeEndpoint> node_endpoints = {};
};

}  // namespace millrace::inline v0::protocol
