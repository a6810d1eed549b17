#pragma once
#include <millrace/protocol/wire_error.hpp>
#include <millrace/server/transaction_service.hpp>

namespace millrace::inline v0::server {

/// What a producer is told that the coordinator refused. Clients of old versions do not know
/// PRODUCER_FENCED.
protocol::WireError transaction_error(TransactionService& transactions,
                                      const coordinator::TransactionalProducerId& from, Errc code,
                                      bool knows_fenced);

}  // namespace millrace::inline v0::server
