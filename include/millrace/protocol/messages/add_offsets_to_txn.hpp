#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <string>

namespace millrace::inline v0::protocol {

struct AddOffsetsToTxnRequest {
  static constexpr const char* name = "AddOffsetsToTxnRequest";
  static constexpr ApiKey api_key = ApiKey::add_offsets_to_txn;
  static constexpr Versions versions = between(0, 4);
  static constexpr Versions flexible = since(3);

  std::string transactional_id = {};
  std::int64_t producer_id = 0;
  std::int16_t producer_epoch = 0;
  std::string group_id = {};
};

struct AddOffsetsToTxnResponse {
  static constexpr const char* name = "AddOffsetsToTxnResponse";
  static constexpr ApiKey api_key = ApiKey::add_offsets_to_txn;
  static constexpr Versions versions = between(0, 4);
  static constexpr Versions flexible = since(3);

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
};

}  // namespace millrace::inline v0::protocol
