#include "remote_append.hpp"

#include <millrace/client/producer.hpp>

namespace millrace::inline v0::cli::remote {
namespace {

client::ProducerOptions to_client(const ProduceOptions& from) {
  const ProducerSettings settings = settings_of(from);
  client::ProducerOptions to;
  to.batch_bytes = settings.producer.batch_bytes;
  to.codec = settings.producer.compression.value_or(record::Codec::none);
  to.idempotent = settings.producer.idempotent;
  to.transactional_id = from.transactional_id;
  if (settings.transaction_timeout) to.transaction_timeout = *settings.transaction_timeout;
  return to;
}

/// Sends to the partition that a producer of this program would choose.
class Sender {
 public:
  Sender(client::Producer& producer, const ProduceOptions& options)
      : producer_(producer), partitioner_(settings_of(options).producer.partitioner) {
    if (!partitioner_) partitioner_ = partitioner::murmur2();
  }

  Result<void> send(const OutgoingRecord& record) {
    const auto partition = record.partition ? *record.partition : partition_of(record);
    const Timestamp time = system_clock().now();
    return producer_.send({.partition = partition,
                           .timestamp = time,
                           .key = record.key,
                           .value = record.value,
                           .headers = record.headers,
                           .callback = [=, tell = record.callback](const auto& offset) {
                             if (!offset) return tell(offset.error());
                             tell(Receipt{partition, *offset, time, Durability::written});
                           }});
  }

 private:
  PartitionId partition_of(const OutgoingRecord& record) const {
    return partitioner_({.key = record.key,
                         .value = record.value.value_or(Bytes()),
                         .partitions = producer_.partition_count(),
                         .batch_bytes = client::ProducerOptions().batch_bytes});
  }

  client::Producer& producer_;
  Partitioner partitioner_;
};

Result<void> append_plainly(client::Producer& producer, const ProduceOptions& options,
                            RecordInput& input) {
  Deliveries deliveries(options.report);
  Sender sender(producer, options);
  const auto sent = send_all([&](const OutgoingRecord& record) { return sender.send(record); },
                             input, deliveries);
  const auto flushed = producer.flush();
  MILLRACE_CHECK(deliveries.finish());
  MILLRACE_CHECK(sent);
  MILLRACE_CHECK(flushed);
  return outcome_of_stop(deliveries);
}

Result<void> append_in_transactions(client::Producer& producer, const ProduceOptions& options,
                                    RecordInput& input) {
  Deliveries deliveries(options.report, true);
  Sender sender(producer, options);
  std::int64_t records = 0;
  const auto commit = [&]() -> Result<void> {
    if (std::exchange(records, 0) == 0) return {};
    auto ended = producer.end_transaction(true);
    ended ? deliveries.release() : deliveries.discard();
    return ended;
  };
  Result<void> outcome = send_all(
      [&](const OutgoingRecord& record) -> Result<void> {
        if (records++ == 0) MILLRACE_CHECK(producer.begin_transaction());
        MILLRACE_CHECK(sender.send(record));
        const bool is_full = options.transaction_records && records >= *options.transaction_records;
        return is_full ? commit() : Result<void>();
      },
      input, deliveries);
  if (outcome && StopSignals::is_stopped()) outcome = Error(Errc::closed, "stopped by a signal");
  if (outcome && deliveries.may_go_on()) outcome = commit();
  if (records > 0) {
    static_cast<void>(producer.end_transaction(false));
    deliveries.discard();
  }
  if (auto delivered = deliveries.finish(); !delivered) outcome = std::move(delivered);
  if (outcome) return {};
  return not_committed(outcome.error(), deliveries.acknowledged());
}

}  // namespace

Result<void> append(const std::string& bootstrap, const ProduceOptions& options) {
  MILLRACE_TRY(const auto cluster, client::Cluster::connect(bootstrap));
  MILLRACE_TRY(const auto topic, cluster->topic(options.topic));
  if (options.partition) MILLRACE_CHECK(cluster->leader_of(topic, *options.partition));
  MILLRACE_TRY(const auto producer,
               client::Producer::open(*cluster, options.topic, to_client(options)));
  RecordInput input(options);
  input.lines.before_wait([&] { return producer->flush(); });
  return options.transactional_id.empty() ? append_plainly(*producer, options, input)
                                          : append_in_transactions(*producer, options, input);
}

}  // namespace millrace::inline v0::cli::remote
