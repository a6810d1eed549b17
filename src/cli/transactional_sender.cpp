#include "transactional_sender.hpp"

namespace millrace::inline v0::cli {

Result<void> TransactionalSender::send(const OutgoingRecord& record) {
  if (!open_) {
    MILLRACE_TRY(open_, producer_.begin());
    records_ = 0;
  }
  const Bytes* const key = record.key ? &*record.key : nullptr;
  const Bytes* const value = record.value ? &*record.value : nullptr;
  const PendingReceipt sent = open_->send_with(topic_, record, key, value);
  // It keeps the transaction from being committed, so there is no sending it again.
  if (sent.status() == SendStatus::back_pressure) return sent.get().error();
  ++records_;
  return most_records_ && records_ >= *most_records_ ? commit() : Result<void>();
}

Result<void> TransactionalSender::commit() {
  if (!open_) return {};
  auto committed = open_->commit();
  if (!committed) {
    // The first error says more than the abort's, and whoever opens the directory next aborts it.
    static_cast<void>(abort());
    return committed;
  }
  open_.reset();
  deliveries_.release();
  return {};
}

Result<void> TransactionalSender::abort() {
  if (!open_) return {};
  // It is over already if somebody else has aborted it.
  auto aborted = open_->is_open() ? open_->abort() : Result<void>();
  open_.reset();
  deliveries_.discard();
  return aborted;
}

}  // namespace millrace::inline v0::cli
