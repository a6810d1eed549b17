#include <millrace/coordinator/group_records.hpp>
#include <millrace/server/group_service.hpp>
#include <millrace/server/transaction_service.hpp>

// What goes into an open transaction while its producer may be ending it.

namespace millrace::inline v0::server {

using coordinator::TopicPartition;
using coordinator::TransactionalProducerId;

Result<TransactionHold> TransactionService::hold(const TransactionalProducerId& from,
                                                 const TopicPartition& partition) {
  const std::string& id = from.transactional_id;
  const std::lock_guard lock(mutex_);
  MILLRACE_CHECK(coordinator_.verify(from, partition));
  if (ending_.contains(id)) {
    return Error(Errc::concurrent_transactions,
                 "transactional id " + id +
                     ": its transaction is being ended; send what belongs "
                     "to it before, and wait until that is acknowledged")
        .at(partition.topic, partition.partition);
  }
  held_.insert(id);
  return TransactionHold(this, [self = shared_from_this(), id](const void*) {
    const std::lock_guard releasing(self->mutex_);
    self->held_.erase(self->held_.find(id));
    self->released_.notify_all();
  });
}

/// Until what it returns is gone. Whoever is fenced stops nobody.
TransactionHold TransactionService::stop_holds(const TransactionalProducerId& from) {
  const std::string& id = from.transactional_id;
  std::unique_lock lock(mutex_);
  const auto* const known = coordinator_.transaction(id);
  if (known == nullptr || known->producer != from.producer) return nullptr;
  ending_.insert(id);
  released_.wait(lock, [&] { return !held_.contains(id); });
  return TransactionHold(this, [self = shared_from_this(), id](const void*) {
    const std::lock_guard resuming(self->mutex_);
    self->ending_.erase(self->ending_.find(id));
  });
}

Result<void> TransactionService::add_offsets(const TransactionalProducerId& from,
                                             const std::string& group) {
  MILLRACE_TRY(const auto groups, GroupService::of(broker_));
  return add_partitions(from,
                        {{std::string(coordinator::offsets_topic), groups->partition_of(group)}});
}

Result<void> TransactionService::commit_added_offsets(const TransactionalProducerId& from,
                                                      const coordinator::CommitRequest& request) {
  MILLRACE_TRY(const auto groups, GroupService::of(broker_));
  MILLRACE_TRY(const TransactionHold held, hold(from, {std::string(coordinator::offsets_topic),
                                                       groups->partition_of(request.from.group)}));
  return groups->commit_in_transaction(request, from.producer);
}

Result<void> TransactionService::commit_offsets(const TransactionalProducerId& from,
                                                const coordinator::CommitRequest& request) {
  MILLRACE_CHECK(add_offsets(from, request.from.group));
  return commit_added_offsets(from, request);
}

}  // namespace millrace::inline v0::server
