#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct ListTransactionsRequest {
  static constexpr const char* name = "ListTransactionsRequest";
  static constexpr ApiKey api_key = ApiKey::list_transactions;
  static constexpr Versions versions = between(0, 1);
  static constexpr Versions flexible = since(0);

  /// Empty is all.
  std::vector<std::string> state_filters = {};
  /// Empty is all.
  std::vector<std::int64_t> producer_id_filters = {};
  /// Only those that have run longer, in ms; -1 is all.
  std::int64_t duration_filter = -1;
};

struct ListTransactionsResponse {
  static constexpr const char* name = "ListTransactionsResponse";
  static constexpr ApiKey api_key = ApiKey::list_transactions;
  static constexpr Versions versions = between(0, 1);
  static constexpr Versions flexible = since(0);

  struct Transaction {
    std::string transactional_id = {};
    std::int64_t producer_id = 0;
    std::string transaction_state = {};
  };

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
  std::vector<std::string> unknown_state_filters = {};
  std::vector<Transaction> transaction_states = {};
};

}  // namespace millrace::inline v0::protocol
