#include <millrace/server/internal_topic.hpp>
#include <millrace/storage/log_cursor.hpp>

namespace millrace::inline v0::server {
namespace {

void visit_chunk(const storage::Chunk& chunk, const InternalTopic::Visitor& visit,
                 const InternalTopic::DamageHandler& damaged) {
  std::vector<std::byte> decompressed;
  for (std::size_t at = 0; at < chunk.bytes.size();) {
    const auto batch = record::BatchView::try_parse(chunk.bytes.subspan(at));
    if (batch.size() == 0) return;
    at += batch.size();
    if (batch.is_control()) continue;
    auto cursor = record::RecordCursor::open(batch, decompressed);
    if (!cursor) {
      damaged(cursor.error());
      continue;
    }
    record::RecordView record;
    while (cursor->next(record) == record::RecordCursor::Step::record) {
      if (record.key) visit(*record.key, record.value);
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

Result<Offset> InternalTopic::append(PartitionId partition,
                                     std::span<const coordinator::InternalRecord> records,
                                     Timestamp time) const {
  record::BatchBuilder builder;
  for (const auto& record : records) {
    const auto value = record.value ? std::optional<Bytes>(*record.value) : std::nullopt;
    MILLRACE_CHECK(builder.add(time, Bytes(record.key), value));
  }
  MILLRACE_TRY(const MutableBytes batch, builder.finish());
  MILLRACE_TRY(const auto appended,
               topic_->partitions[static_cast<std::size_t>(partition)]->append(batch));
  return appended.next_offset;
}

Result<void> InternalTopic::wait_acknowledged(PartitionId partition, Offset end) const {
  auto done = topic_->partitions[static_cast<std::size_t>(partition)]->wait_acknowledged(end);
  if (!done) return std::move(done).error();
  return {};
}

Result<void> InternalTopic::read_all(const Visitor& visit, const DamageHandler& damaged) const {
  for (const auto& partition : topic_->readers) {
    const Offset end = partition->visible_end();
    storage::LogCursor cursor(partition->source(), partition->log_start_offset());
    while (cursor.position() < end) {
      auto chunk = cursor.read(end, {});
      if (chunk) {
        if (chunk->empty()) break;
        visit_chunk(*chunk, visit, damaged);
        continue;
      }
      const Error error = chunk.error().at(partition->topic(), partition->id());
      if (error.code() != Errc::corrupt_data || error.offsets().end <= cursor.position()) {
        return error;
      }
      damaged(error);
      cursor.seek(error.offsets().end);
    }
  }
  return {};
}

}  // namespace millrace::inline v0::server
