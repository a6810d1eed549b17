#include "server/kafka/transaction_errors.hpp"

#include "server/wire_errors.hpp"

namespace millrace::inline v0::server {

using protocol::WireError;

namespace {

/// Not an instance that was fenced, but one of which nothing is known any more.
bool has_other_producer(TransactionService& transactions,
                        const coordinator::TransactionalProducerId& from) {
  bool is_other = false;
  transactions.look([&](const coordinator::TransactionCoordinator& all) {
    const auto* const known = all.transaction(from.transactional_id);
    is_other = known == nullptr || known->producer.id != from.producer.id;
  });
  return is_other;
}

}  // namespace

WireError transaction_error(TransactionService& transactions,
                            const coordinator::TransactionalProducerId& from, Errc code,
                            bool knows_fenced) {
  switch (code) {
    case Errc::producer_fenced:
      if (has_other_producer(transactions, from)) return WireError::invalid_producer_id_mapping;
      return knows_fenced ? WireError::producer_fenced : WireError::invalid_producer_epoch;
    case Errc::unknown_transactional_id:
      return WireError::invalid_producer_id_mapping;
    case Errc::no_space:
    case Errc::io_error:
    case Errc::log_failed:
    case Errc::closed:
      return WireError::coordinator_not_available;  // clients try again
    default:
      return to_wire(code);
  }
}

}  // namespace millrace::inline v0::server
