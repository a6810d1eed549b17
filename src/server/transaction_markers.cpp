#include <millrace/coordinator/group_records.hpp>
#include <millrace/server/group_service.hpp>
#include <millrace/server/transaction_service.hpp>

// What a transaction does to its partitions when it ends.

namespace millrace::inline v0::server {
namespace {

using coordinator::TopicPartition;

/// Null if it is there no more.
Result<engine::PartitionPtr> find_partition(engine::BrokerCore& broker,
                                            const TopicPartition& partition) {
  const auto topic = broker.topic(partition.topic);
  if (!topic) {
    if (topic.error().code() == Errc::unknown_topic) return engine::PartitionPtr();
    return topic.error();
  }
  const auto index = static_cast<std::size_t>(partition.partition);
  if (partition.partition < 0 || index >= (*topic)->partitions.size()) {
    return engine::PartitionPtr();
  }
  return (*topic)->partitions[index];
}

/// Whether somebody who knows more has ended it.
bool is_over(const Error& error) {
  return error.code() == Errc::invalid_producer_epoch ||
         error.code() == Errc::transaction_coordinator_fenced;
}

}  // namespace

/// Of a commit, nothing may be decided before all of it is durable.
Result<void> TransactionService::flush_partitions(const std::string& transactional_id) {
  std::set<TopicPartition> partitions;
  look([&](const coordinator::TransactionCoordinator& all) {
    const auto* const known = all.transaction(transactional_id);
    if (known != nullptr) partitions = known->partitions;
  });
  for (const TopicPartition& place : partitions) {
    MILLRACE_TRY(const auto partition, find_partition(broker_, place));
    if (partition && !partition->flushes_before_ack()) MILLRACE_CHECK(partition->flush());
  }
  return {};
}

Result<void> TransactionService::write_marker(const TopicPartition& place,
                                              const coordinator::ProducerEpoch& producer,
                                              bool is_commit) {
  if (place.topic == coordinator::offsets_topic) {
    MILLRACE_TRY(const auto groups, GroupService::of(broker_));
    return groups->end_transaction(place.partition, producer, is_commit);
  }
  MILLRACE_TRY(const auto partition, find_partition(broker_, place));
  if (!partition) return {};
  MILLRACE_CHECK(append_marker(*partition, producer, is_commit));
  return partition->flush();
}

std::vector<TopicPartition> TransactionService::write_markers(
    const coordinator::MarkersToWrite& markers) {
  std::vector<TopicPartition> missing;
  for (const TopicPartition& place : markers.partitions) {
    const auto written = write_marker(place, markers.producer, markers.is_commit);
    if (written || is_over(written.error())) continue;
    if (!broker_.is_closed()) broker_.scheduler().report(written.error());
    missing.push_back(place);
  }
  return missing;
}

}  // namespace millrace::inline v0::server
