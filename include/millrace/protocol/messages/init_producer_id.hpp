#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>

namespace millrace::inline v0::protocol {

struct InitProducerIdRequest {
  static constexpr const char* name = "InitProducerIdRequest";
  static constexpr ApiKey api_key = ApiKey::init_producer_id;
  static constexpr Versions versions = between(0, 5);
  static constexpr Versions flexible = since(2);

  std::optional<std::string> transactional_id = "";
  std::int32_t transaction_timeout_ms = 0;
  /// With the epoch, to have it raised; -1 for a new one.
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;
};

struct InitProducerIdResponse {
  static constexpr const char* name = "InitProducerIdResponse";
  static constexpr ApiKey api_key = ApiKey::init_producer_id;
  static constexpr Versions versions = between(0, 5);
  static constexpr Versions flexible = since(2);

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = 0;
};

}  // namespace millrace::inline v0::protocol
