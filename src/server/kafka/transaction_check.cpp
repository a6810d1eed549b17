#include "server/kafka/transaction_check.hpp"

#include <millrace/record/batch_view.hpp>

#include "server/kafka/transaction_errors.hpp"

namespace millrace::inline v0::server {

using protocol::WireError;
using record::BatchView;

namespace {

/// Those of magic 2 up to the first that makes no sense, which is refused by who looks closer.
template <typename Visit>
void for_each_transactional(Bytes batches, const Visit& visit) {
  while (!batches.empty()) {
    const BatchView batch = BatchView::try_parse(batches);
    if (batch.size() == 0) return;
    if (batch.is_transactional() && !visit(batch)) return;
    batches = batches.subspan(batch.size());
  }
}

}  // namespace

bool has_transactional(Bytes batches) noexcept {
  bool has_any = false;
  for_each_transactional(batches, [&](const BatchView&) {
    has_any = true;
    return false;
  });
  return has_any;
}

HeldTransactions TransactionCheck::hold(const engine::Partition& partition, Bytes batches) const {
  HeldTransactions held;
  for_each_transactional(batches, [&](const BatchView& batch) {
    const auto transactions = state.transactions();
    if (!transactions) {
      held.error = WireError::not_enough_replicas;
      held.why = transactions.error().message();
      return false;
    }
    const coordinator::TransactionalProducerId from{transactional_id,
                                                    {batch.producer().id, batch.producer().epoch}};
    auto hold = (*transactions)->hold(from, {partition.topic(), partition.id()});
    if (hold) {
      held.holds.push_back(*std::move(hold));
      return true;
    }
    held.why = hold.error().message();
    held.error = transaction_error(**transactions, from, hold.error().code(), false);
    // As clients know it from producing: what is to be tried again, and what ends the transaction.
    if (held.error == WireError::concurrent_transactions) {
      held.error = WireError::not_enough_replicas;
    } else if (held.error == WireError::invalid_txn_state && knows_abortable) {
      held.error = WireError::transaction_abortable;
    }
    return false;
  });
  return held;
}

}  // namespace millrace::inline v0::server
