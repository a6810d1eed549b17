#pragma once
#include <cstdint>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct DescribeTransactionsRequest {
  static constexpr const char* name = "DescribeTransactionsRequest";
  static constexpr ApiKey api_key = ApiKey::describe_transactions;
  static constexpr Versions versions = between(0, 0);
  static constexpr Versions flexible = since(0);

  std::vector<std::string> transactional_ids = {};
};

struct DescribeTransactionsResponse {
  static constexpr const char* name = "DescribeTransactionsResponse";
  static constexpr ApiKey api_key = ApiKey::describe_transactions;
  static constexpr Versions versions = between(0, 0);
  static constexpr Versions flexible = since(0);

  struct Topic {
    std::string topic = {};
    std::vector<std::int32_t> partitions = {};
  };

  struct Transaction {
    WireError error_code = WireError::none;
    std::string transactional_id = {};
    std::string transaction_state = {};
    std::int32_t transaction_timeout_ms = 0;
    std::int64_t transaction_start_time_ms = 0;
    std::int64_t producer_id = 0;
    std::int16_t producer_epoch = 0;
    std::vector<Topic> topics = {};
  };

  std::int32_t throttle_time_ms = 0;
  std::vector<Transaction> transaction_states = {};
};

}  // namespace millrace::inline v0::protocol
