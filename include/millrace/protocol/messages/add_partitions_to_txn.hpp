#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct AddPartitionsToTxnRequest {
  static constexpr const char* name = "AddPartitionsToTxnRequest";
  static constexpr ApiKey api_key = ApiKey::add_partitions_to_txn;
  static constexpr Versions versions = between(0, 3);
  static constexpr Versions flexible = since(3);

  struct Topic {
    std::string name = {};
    std::vector<std::int32_t> partitions = {};
  };

  std::string transactional_id = {};
  std::int64_t producer_id = 0;
  std::int16_t producer_epoch = 0;
  std::vector<Topic> topics = {};
};

struct AddPartitionsToTxnResponse {
  static constexpr const char* name = "AddPartitionsToTxnResponse";
  static constexpr ApiKey api_key = ApiKey::add_partitions_to_txn;
  static constexpr Versions versions = between(0, 3);
  static constexpr Versions flexible = since(3);

  struct Partition {
    std::int32_t partition_index = 0;
    WireError partition_error_code = WireError::none;
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> results_by_partition = {};
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Topic> results = {};
};

}  // namespace millrace::inline v0::protocol
