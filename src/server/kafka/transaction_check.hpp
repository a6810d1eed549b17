#pragma once
#include <millrace/protocol/wire_error.hpp>
#include <millrace/server/transaction_service.hpp>
#include <optional>

#include "server/kafka/server_state.hpp"

namespace millrace::inline v0::server {

/// Whether any batch says that it is part of a transaction.
bool has_transactional(Bytes batches) noexcept;

/// The transactions that batches are part of, so that they may be appended; or why they may not.
struct HeldTransactions {
  std::vector<TransactionHold> holds = {};
  protocol::WireError error = protocol::WireError::none;
  std::string why = {};
};
struct TransactionCheck {
  ServerState& state;
  const std::string& transactional_id;
  bool knows_abortable;  ///< the client has heard of TRANSACTION_ABORTABLE

  /// Of what goes to one partition. To be kept until it is appended.
  HeldTransactions hold(const engine::Partition& partition, Bytes batches) const;
};

}  // namespace millrace::inline v0::server
