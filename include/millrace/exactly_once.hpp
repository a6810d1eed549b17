#pragma once
#include <millrace/transactional_producer.hpp>

namespace millrace::inline v0 {

/// Polls, gives each record to `handle`, and commits what that did with the offsets of what was
/// read, in one transaction: each record is handled exactly once as far as the transaction reaches
/// (records sent to it, changes of KeyValueStores). Returns how many records that were; 0 if none
/// came within `wait`.
///
/// `handle(record, transaction)` returns a Result<void>; an error of it, or of anything else,
/// aborts the transaction, and the next call polls the same records again. After producer_fenced
/// there is no next call for this producer. Auto-commit of the group must be off.
template <typename K, typename V, typename Handler>
Result<std::size_t> process_exactly_once(GroupConsumer<K, V>& member,
                                         TransactionalProducer& producer,
                                         std::chrono::nanoseconds wait, Handler&& handle) {
  MILLRACE_TRY(const auto records, member.poll(wait));
  if (records.empty()) return std::size_t{0};
  std::size_t count = 0;
  const auto done = [&]() -> Result<void> {
    MILLRACE_TRY(Transaction transaction, producer.begin());
    for (const auto& record : records) {
      MILLRACE_CHECK(handle(record, transaction));
      ++count;
    }
    MILLRACE_CHECK(records.status());
    MILLRACE_CHECK(member.send_offsets_to(transaction));
    return transaction.commit();
  }();
  if (done) return count;
  static_cast<void>(member.rewind());  // what stands in its way, the next poll tells
  return done.error();
}

}  // namespace millrace::inline v0
