#pragma once
#include <millrace/transactional_producer.hpp>

#include "deliveries.hpp"

namespace millrace::inline v0::cli {

/// Sends records to a topic in one transaction, or in several of so many records each. What was not
/// committed when it ends is aborted.
class TransactionalSender {
 public:
  /// `deliveries` holds back what is not committed, and must outlive it. `records` in a
  /// transaction; nothing: all.
  TransactionalSender(TransactionalProducer producer, Topic<Bytes, Bytes> topic,
                      std::optional<std::int64_t> records, Deliveries& deliveries)
      : producer_(std::move(producer)),
        topic_(std::move(topic)),
        most_records_(records),
        deliveries_(deliveries) {}

  /// What becomes of the record the callback hears; the error is that of the transaction.
  Result<void> send(const OutgoingRecord& record);
  /// Commits what was sent since the last time; if that fails, aborts it.
  Result<void> commit();
  Result<void> abort();

 private:
  TransactionalProducer producer_;
  Topic<Bytes, Bytes> topic_;
  std::optional<std::int64_t> most_records_;
  Deliveries& deliveries_;
  std::optional<Transaction> open_;
  std::int64_t records_ = 0;  // in it
};

}  // namespace millrace::inline v0::cli
