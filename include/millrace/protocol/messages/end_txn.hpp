#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <string>

namespace millrace::inline v0::protocol {

struct EndTxnRequest {
  static constexpr const char* name = "EndTxnRequest";
  static constexpr ApiKey api_key = ApiKey::end_txn;
  static constexpr Versions versions = between(0, 4);
  static constexpr Versions flexible = since(3);

  std::string transactional_id = {};
  std::int64_t producer_id = 0;
  std::int16_t producer_epoch = 0;
  /// Otherwise it is aborted.
  bool committed = false;
};

struct EndTxnResponse {
  static constexpr const char* name = "EndTxnResponse";
  static constexpr ApiKey api_key = ApiKey::end_txn;
  static constexpr Versions versions = between(0, 4);
  static constexpr Versions flexible = since(3);

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
};

}  // namespace millrace::inline v0::protocol
