#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct DescribeProducersRequest {
  static constexpr const char* name = "DescribeProducersRequest";
  static constexpr ApiKey api_key = ApiKey::describe_producers;
  static constexpr Versions versions = between(0, 0);
  static constexpr Versions flexible = since(0);

  struct Topic {
    std::string name = {};
    std::vector<std::int32_t> partition_indexes = {};
  };

  std::vector<Topic> topics = {};
};

struct DescribeProducersResponse {
  static constexpr const char* name = "DescribeProducersResponse";
  static constexpr ApiKey api_key = ApiKey::describe_producers;
  static constexpr Versions versions = between(0, 0);
  static constexpr Versions flexible = since(0);

  struct Producer {
    std::int64_t producer_id = 0;
    std::int32_t producer_epoch = 0;
    std::int32_t last_sequence = -1;
    std::int64_t last_timestamp = -1;
    std::int32_t coordinator_epoch = 0;
    /// -1: no transaction is open.
    std::int64_t current_txn_start_offset = -1;
  };

  struct Partition {
    std::int32_t partition_index = 0;
    WireError error_code = WireError::none;
    std::optional<std::string> error_message = {};
    std::vector<Producer> active_producers = {};
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> partitions = {};
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> topics = {};
};

}  // namespace millrace::inline v0::protocol
