#include <millrace/coordinator/transaction_records.hpp>
#include <millrace/protocol/wire.hpp>

namespace millrace::inline v0::coordinator {
namespace {

using protocol::WireReader;
using protocol::WireWriter;

constexpr std::int16_t key_version = 0;
constexpr std::int16_t value_version = 0;
/// Written by Kafka 4 (KIP-890), and compact (KIP-482).
constexpr std::int16_t flexible_version = 1;
/// Ours: an int64 for each partition, in their order. Kafka passes over tags that it does not know.
constexpr std::uint32_t data_ends_tag = 7000;

OwnedBytes key_of(std::string_view transactional_id) {
  OwnedBytes key;
  WireWriter to(key);
  to.int16(key_version);
  to.string(transactional_id);
  return key;
}

void write_count(WireWriter& to, bool is_compact, std::size_t count) {
  is_compact ? to.compact_array_count(count) : to.array_count(count);
}

void write_partitions(WireWriter& to, bool is_compact, const std::set<TopicPartition>& partitions) {
  const auto next_topic = [&](auto at) {
    const std::string& topic = at->topic;
    while (at != partitions.end() && at->topic == topic) ++at;
    return at;
  };
  std::size_t topics = 0;
  for (auto at = partitions.begin(); at != partitions.end(); at = next_topic(at)) ++topics;
  write_count(to, is_compact, topics);
  for (auto at = partitions.begin(); at != partitions.end();) {
    const auto end = next_topic(at);
    is_compact ? to.compact_string(at->topic) : to.string(at->topic);
    write_count(to, is_compact, static_cast<std::size_t>(std::distance(at, end)));
    for (; at != end; ++at) to.int32(at->partition);
    if (is_compact) to.tagged_field_count(0);
  }
}

void read_partitions(WireReader& from, bool is_compact, std::set<TopicPartition>& partitions) {
  const auto topics =
      is_compact ? from.compact_nullable_array_count(2) : from.nullable_array_count(6);
  for (std::size_t t = 0; t < topics.value_or(0) && from.ok(); ++t) {
    const std::string topic(is_compact ? from.compact_string() : from.string());
    const std::size_t count = is_compact ? from.compact_array_count(4) : from.array_count(4);
    for (std::size_t i = 0; i < count && from.ok(); ++i) partitions.insert({topic, from.int32()});
    if (is_compact) from.skip_tagged_fields();
  }
}

void write_ends(WireWriter& to, const DataEnds& ends) {
  OwnedBytes field;
  WireWriter into(field);
  for (const auto& [partition, end] : ends) into.int64(end.value());
  to.tagged_field_count(1);
  to.tagged_field(data_ends_tag, field);
}

void read_ends(WireReader& from, const std::set<TopicPartition>& partitions, DataEnds& ends) {
  from.tagged_fields([&](std::uint32_t tag, WireReader& field) {
    if (tag != data_ends_tag) return;
    for (const TopicPartition& partition : partitions) ends[partition] = Offset{field.int64()};
  });
}

}  // namespace

InternalRecord transaction_record(std::string_view transactional_id,
                                  const Transaction& transaction) {
  OwnedBytes value;
  WireWriter to(value);
  const bool is_flexible = !transaction.ends.empty();
  to.int16(is_flexible ? flexible_version : value_version);
  to.int64(transaction.producer.id);
  to.int16(transaction.producer.epoch);
  to.int32(static_cast<std::int32_t>(transaction.timeout.count()));
  to.int8(static_cast<std::int8_t>(transaction.state));
  if (transaction.state == TransactionState::empty) {
    to.array_count(std::nullopt);
  } else {
    write_partitions(to, is_flexible, transaction.partitions);
  }
  to.int64(transaction.updated.milliseconds());
  to.int64(transaction.started.milliseconds());
  if (is_flexible) write_ends(to, transaction.ends);
  return {key_of(transactional_id), std::move(value)};
}

InternalRecord transaction_tombstone(std::string_view transactional_id) {
  return {key_of(transactional_id), std::nullopt};
}

Result<std::optional<std::string_view>> parse_transaction_key(Bytes key) {
  WireReader from(key);
  const std::int16_t version = from.int16();
  std::optional<std::string_view> id;
  if (version == key_version) id = from.string();
  MILLRACE_CHECK(from.check("reading the key of a record of __transaction_state"));
  return id;
}

Result<Transaction> parse_transaction(Bytes value) {
  WireReader from(value);
  const std::int16_t version = from.int16();
  if (version < 0 || version > flexible_version) {
    return Error(version < 0 ? Errc::corrupt_data : Errc::newer_format,
                 "a transaction's state has version " + std::to_string(version) +
                     "; this millrace reads up to " + std::to_string(flexible_version));
  }
  Transaction transaction;
  transaction.producer.id = from.int64();
  transaction.producer.epoch = from.int16();
  transaction.timeout = Milliseconds(from.int32());
  transaction.state = TransactionState{from.int8()};
  read_partitions(from, version >= flexible_version, transaction.partitions);
  transaction.updated = Timestamp{from.int64()};
  transaction.started = Timestamp{from.int64()};
  if (version >= flexible_version) read_ends(from, transaction.partitions, transaction.ends);
  MILLRACE_CHECK(from.check("reading a transaction's state"));
  return transaction;
}

}  // namespace millrace::inline v0::coordinator
