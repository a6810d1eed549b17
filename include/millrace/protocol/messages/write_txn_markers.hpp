#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct WriteTxnMarkersRequest {
  static constexpr const char* name = "WriteTxnMarkersRequest";
  static constexpr ApiKey api_key = ApiKey::write_txn_markers;
  static constexpr Versions versions = between(0, 1);
  static constexpr Versions flexible = since(1);

  struct Topic {
    std::string name = {};
    std::vector<std::int32_t> partition_indexes = {};
  };

  struct Marker {
    std::int64_t producer_id = 0;
    std::int16_t producer_epoch = 0;
    /// Whether it was committed.
    bool transaction_result = false;
    std::vector<Topic> topics = {};
    std::int32_t coordinator_epoch = 0;
  };

  std::vector<Marker> markers = {};
};

struct WriteTxnMarkersResponse {
  static constexpr const char* name = "WriteTxnMarkersResponse";
  static constexpr ApiKey api_key = ApiKey::write_txn_markers;
  static constexpr Versions versions = between(0, 1);
  static constexpr Versions flexible = since(1);

  struct Partition {
    std::int32_t partition_index = 0;
    WireError error_code = WireError::none;
  };

  struct Topic {
    std::string name = {};
    std::vector<Partition> partitions = {};
  };

  struct Marker {
    std::int64_t producer_id = 0;
    std::vector<Topic> topics = {};
  };

  std::vector<Marker> markers = {};
};

}  // namespace millrace::inline v0::protocol
