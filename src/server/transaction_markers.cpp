#include <algorithm>
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

/// What is open there is a later transaction, so this one's marker was written before a restart.
bool is_marked(engine::Partition& partition, const TopicPartition& place,
               const coordinator::MarkersToWrite& marker) {
  const auto end = marker.ends.find(place);
  if (end == marker.ends.end()) return false;
  const auto open = partition.log().open_transactions();
  return std::any_of(open.begin(), open.end(), [&](const storage::ProducerSummary& one) {
    return one.id == marker.producer.id && *one.transaction >= end->second;
  });
}

/// Where nothing is flushed, a loss of power may have taken the end of what was committed: then
/// none of it is seen there, rather than a part.
bool has_all(engine::Partition& partition, const TopicPartition& place,
             const coordinator::MarkersToWrite& marker) {
  const auto end = marker.ends.find(place);
  return end == marker.ends.end() || end->second <= partition.log().log_end_offset();
}

}  // namespace

/// How it is decided, and where its data ends.
Result<void> TransactionService::plan_commit(coordinator::EndTransactionRequest& request) {
  std::set<TopicPartition> places;
  look([&](const coordinator::TransactionCoordinator& all) {
    const auto* const known = all.transaction(request.from.transactional_id);
    if (known != nullptr) places = known->partitions;
  });
  request.is_durable = false;
  std::vector<engine::PartitionPtr> partitions;
  for (const TopicPartition& place : places) {
    MILLRACE_TRY(const auto partition, find_partition(broker_, place));
    const Offset end = partition ? partition->log().log_end_offset() : Offset{0};
    request.ends.emplace(place, end);
    if (!partition) continue;
    if (partition->flushes_before_ack()) request.is_durable = true;
    partitions.push_back(partition);
  }
  request.marker_decides = places.size() == 1;
  if (!request.is_durable || request.marker_decides) return {};
  // Nothing may be decided before all of it is durable.
  for (const auto& partition : partitions) MILLRACE_CHECK(partition->flush());
  return {};
}

Result<void> TransactionService::write_marker(const TopicPartition& place,
                                              const coordinator::MarkersToWrite& marker) {
  MILLRACE_TRY(const auto partition, find_partition(broker_, place));
  if (!partition || is_marked(*partition, place, marker)) return {};
  const bool is_commit = marker.is_commit && has_all(*partition, place, marker);
  if (place.topic == coordinator::offsets_topic) {
    MILLRACE_TRY(const auto groups, GroupService::of(broker_));
    return groups->end_transaction(place.partition, marker.producer, is_commit);
  }
  MILLRACE_CHECK(append_marker(*partition, marker.producer, is_commit));
  return marker.is_durable ? partition->flush() : Result<void>();
}

/// log_failed if it may be in the log all the same.
Result<void> TransactionService::write_decision(const coordinator::MarkersToWrite& marker) {
  const TopicPartition& place = marker.partitions.front();
  auto written = write_marker(place, marker);
  if (written) return written;
  const auto partition = find_partition(broker_, place);
  if (!partition || !*partition || !(*partition)->log().has_failed()) return written;
  return Error(Errc::log_failed,
               "whether the transaction is committed is known when the directory "
               "is opened again: " +
                   written.error().message())
      .at(place.topic, place.partition);
}

std::vector<TopicPartition> TransactionService::write_markers(
    const coordinator::MarkersToWrite& markers) {
  std::vector<TopicPartition> missing;
  for (const TopicPartition& place : markers.partitions) {
    const auto written = write_marker(place, markers);
    if (written || is_over(written.error())) continue;
    if (!broker_.is_closed()) broker_.scheduler().report(written.error());
    missing.push_back(place);
  }
  return missing;
}

}  // namespace millrace::inline v0::server
