#include <millrace/server/internal_topic.hpp>
#include <millrace/storage/log_cursor.hpp>

namespace millrace::inline v0::server {
namespace {

void visit_chunk(const storage::Chunk& chunk, PartitionId partition,
                 const InternalTopic::Visitor& visitor) {
  std::vector<std::byte> decompressed;
  for (std::size_t at = 0; at < chunk.bytes.size();) {
    const auto batch = record::BatchView::try_parse(chunk.bytes.subspan(at));
    if (batch.size() == 0) return;
    at += batch.size();
    const std::int64_t producer = batch.producer().id;
    if (batch.is_control()) {
      const auto marker = storage::read_marker(batch);
      if (marker && visitor.marker) visitor.marker(partition, producer, marker->is_commit);
      continue;
    }
    const auto transaction_of = batch.is_transactional() ? std::optional(producer) : std::nullopt;
    auto cursor = record::RecordCursor::open(batch, decompressed);
    if (!cursor) {
      visitor.damaged(cursor.error());
      continue;
    }
    record::RecordView record;
    while (cursor->next(record) == record::RecordCursor::Step::record) {
      if (record.key) visitor.record(*record.key, record.value, transaction_of);
    }
  }
}

}  // namespace

Result<InternalTopic> InternalTopic::open(engine::BrokerCore& broker, std::string_view name,
                                          std::int32_t partitions,
                                          const engine::ConfigMap& config) {
  auto topic = broker.topic(name);
  if (!topic && topic.error().code() == Errc::unknown_topic) {
    topic = broker.create_topic(name, partitions, config);
  }
  if (!topic) return std::move(topic).error();
  return InternalTopic(*std::move(topic));
}

Result<Offset> InternalTopic::append(
    PartitionId partition, std::span<const coordinator::InternalRecord> records, Timestamp time,
    std::optional<coordinator::ProducerEpoch> transaction_of) const {
  record::BatchOptions options;
  if (transaction_of) {
    options.transactional = true;
    options.producer = {transaction_of->id, transaction_of->epoch, -1};
  }
  record::BatchBuilder builder(options);
  for (const auto& record : records) {
    const auto value = record.value ? std::optional<Bytes>(*record.value) : std::nullopt;
    MILLRACE_CHECK(builder.add(time, Bytes(record.key), value));
  }
  MILLRACE_TRY(const MutableBytes batch, builder.finish());
  MILLRACE_TRY(const auto appended,
               this->partition(partition)->append(batch, storage::AppendOrigin::coordinator));
  return appended.next_offset;
}

Result<void> InternalTopic::wait_acknowledged(PartitionId partition, Offset end) const {
  auto done = topic_->partitions[static_cast<std::size_t>(partition)]->wait_acknowledged(end);
  if (!done) return std::move(done).error();
  return {};
}

Result<void> InternalTopic::read_all(const Visitor& visitor) const {
  for (const auto& partition : topic_->readers) {
    const Offset end = visitor.sees_unflushed ? partition->written_end() : partition->visible_end();
    storage::LogCursor cursor(partition->source(), partition->log_start_offset());
    while (cursor.position() < end) {
      auto chunk = cursor.read(end, {});
      if (chunk) {
        if (chunk->empty()) break;
        visit_chunk(*chunk, partition->id(), visitor);
        continue;
      }
      const Error error = chunk.error().at(partition->topic(), partition->id());
      if (error.code() != Errc::corrupt_data || error.offsets().end <= cursor.position()) {
        return error;
      }
      visitor.damaged(error);
      cursor.seek(error.offsets().end);
    }
  }
  return {};
}

Result<Offset> append_marker(engine::Partition& partition,
                             const coordinator::ProducerEpoch& producer, bool is_commit) {
  record::BatchBuilder builder(
      {.transactional = true, .control = true, .producer = {producer.id, producer.epoch, -1}});
  // Key: version 0 and the marker's type. Value: version 0 and the coordinator's epoch.
  std::array<std::byte, 4> key{};
  store_big(key.data() + 2, std::int16_t{is_commit});
  const std::array<std::byte, 6> value{};
  MILLRACE_CHECK(builder.add(partition.clock().now(), Bytes(key), Bytes(value)));
  MILLRACE_TRY(const MutableBytes batch, builder.finish());
  MILLRACE_TRY(const auto appended, partition.append(batch, storage::AppendOrigin::coordinator));
  return appended.next_offset;
}

}  // namespace millrace::inline v0::server
