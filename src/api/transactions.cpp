#include <algorithm>
#include <millrace/coordinator/transaction_records.hpp>
#include <millrace/engine/broker_core.hpp>
#include <millrace/server/transaction_service.hpp>
#include <millrace/storage/log_cursor.hpp>
#include <millrace/transactions.hpp>

namespace millrace::inline v0 {
namespace {

using coordinator::TransactionCoordinator;
using server::TransactionService;
using Look = std::function<void(const TransactionCoordinator&)>;

Error unknown(const std::string& transactional_id) {
  return {Errc::unknown_transactional_id, "there is no transactional id " + transactional_id +
                                              ": no producer was opened with it, or it has "
                                              "expired; millrace txn list shows all there are"};
}

/// Null if the directory has not seen any transaction.
Result<engine::TopicPtr> find_internal(engine::BrokerCore& broker) {
  auto topic = broker.topic(coordinator::transactions_topic);
  if (!topic && topic.error().code() == Errc::unknown_topic) return engine::TopicPtr();
  return topic;
}

/// What another process has written, as far as it went. The record that a transaction has begun
/// need not be durable.
Result<void> look_at_written(engine::TopicPtr topic, const Look& look) {
  TransactionCoordinator written({}, []() -> Result<coordinator::ProducerEpoch> {
    return Error(Errc::read_only, "taking a producer id from what is only looked at");
  });
  server::InternalTopic::Visitor visitor;
  visitor.sees_unflushed = true;
  visitor.damaged = [](const Error&) {};
  visitor.record = [&](Bytes key, std::optional<Bytes> value, std::optional<std::int64_t>) {
    // One that cannot be read leaves what was known before.
    static_cast<void>(written.load(key, value));
  };
  MILLRACE_CHECK(server::InternalTopic::of(std::move(topic)).read_all(visitor));
  look(written);
  return {};
}

Result<void> look_at(engine::BrokerCore& broker, const Look& look) {
  MILLRACE_TRY(auto topic, find_internal(broker));
  if (!topic) return {};
  if (!broker.is_owner()) return look_at_written(std::move(topic), look);
  MILLRACE_TRY(const auto service, TransactionService::of(broker));
  service->look(look);
  return {};
}

TransactionSummary summary_of(const std::string& id, const coordinator::Transaction& known) {
  return {id,
          known.state,
          known.producer.id,
          known.producer.epoch,
          known.timeout,
          known.partitions.size(),
          known.started,
          known.updated};
}

/// Reads from where the first open transaction begins; later ones lie behind it.
Result<std::optional<Offset>> find_first_offset(engine::PartitionReader& partition,
                                                std::int64_t producer_id) {
  const Offset end = partition.written_end();
  const auto& unstable = partition.source().control().first_unstable_offset;
  const Offset begin{unstable.load(std::memory_order_acquire)};
  storage::LogCursor cursor(partition.source(), std::max(begin, partition.log_start_offset()));
  std::optional<Offset> first;
  while (cursor.position() < end) {
    MILLRACE_TRY(const storage::Chunk chunk, cursor.read(end, {}));
    if (chunk.empty()) break;
    for (std::size_t at = 0; at < chunk.bytes.size();) {
      const auto batch = record::BatchView::try_parse(chunk.bytes.subspan(at));
      if (batch.size() == 0) break;
      at += batch.size();
      if (batch.producer().id != producer_id || !batch.is_transactional()) continue;
      if (batch.is_control()) {
        first.reset();
      } else if (!first) {
        first = batch.base_offset();
      }
    }
  }
  return first;
}

/// Nothing if that cannot be told.
std::optional<Offset> first_offset_in(engine::BrokerCore& broker, const TopicPartition& place,
                                      std::int64_t producer_id) {
  const auto topic = broker.topic(place.topic);
  const auto index = static_cast<std::size_t>(place.partition);
  if (!topic || place.partition < 0 || index >= (*topic)->readers.size()) return std::nullopt;
  if ((*topic)->partitions.empty()) {
    return find_first_offset(*(*topic)->readers[index], producer_id).value_or(std::nullopt);
  }
  for (const auto& open : (*topic)->partitions[index]->log().open_transactions()) {
    if (open.id == producer_id) return open.transaction;
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<TransactionSummary>> Transactions::list() const {
  std::vector<TransactionSummary> all;
  MILLRACE_CHECK(look_at(*broker_.core(), [&](const TransactionCoordinator& transactions) {
    for (const auto& [id, known] : transactions.transactions()) {
      all.push_back(summary_of(id, *known));
    }
  }));
  return all;
}

Result<TransactionDescription> Transactions::describe(const std::string& transactional_id) const {
  std::optional<TransactionDescription> found;
  MILLRACE_CHECK(look_at(*broker_.core(), [&](const TransactionCoordinator& transactions) {
    const auto* const known = transactions.transaction(transactional_id);
    if (known == nullptr) return;
    found = TransactionDescription{summary_of(transactional_id, *known), {}};
    for (const TopicPartition& partition : known->partitions) {
      found->partitions.push_back({partition, std::nullopt});
    }
  }));
  if (!found) return unknown(transactional_id);
  for (TransactionPartition& one : found->partitions) {
    one.first_offset = first_offset_in(*broker_.core(), one.partition, found->summary.producer_id);
  }
  return *std::move(found);
}

Result<void> Transactions::abort(const std::string& transactional_id) const {
  engine::BrokerCore& core = *broker_.core();
  MILLRACE_TRY(const auto topic, find_internal(core));
  if (!topic) return unknown(transactional_id);
  MILLRACE_TRY(const auto service, TransactionService::of(core));
  return service->abort(transactional_id);
}

}  // namespace millrace::inline v0
