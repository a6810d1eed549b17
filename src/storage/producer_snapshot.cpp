#include <fmt/format.h>

#include <limits>
#include <millrace/core/crc32c.hpp>
#include <millrace/storage/file_names.hpp>
#include <millrace/storage/producer_snapshot.hpp>

namespace millrace::inline v0::storage {
namespace {

// Where things stand; docs/log_format.md has the diagram.
constexpr std::size_t crc_at = 2;
constexpr std::size_t count_at = 6;
constexpr std::size_t entries_at = 10;
constexpr std::size_t entry_bytes = 46;
constexpr std::int16_t current_version = 1;

constexpr std::size_t epoch_at = 8;
constexpr std::size_t last_sequence_at = 10;
constexpr std::size_t last_offset_at = 14;
constexpr std::size_t offset_delta_at = 22;
constexpr std::size_t timestamp_at = 26;
constexpr std::size_t coordinator_epoch_at = 34;
constexpr std::size_t transaction_at = 38;

void encode_entry(std::byte* to, const ProducerSummary& producer) {
  store_big(to, producer.id);
  store_big(to + epoch_at, producer.epoch);
  store_big(to + last_sequence_at, producer.last_sequence);
  store_big(to + last_offset_at, producer.last_offset.value());
  store_big(to + offset_delta_at, producer.offset_delta);
  store_big(to + timestamp_at, producer.timestamp.milliseconds());
  store_big(to + coordinator_epoch_at, producer.coordinator_epoch);
  store_big(to + transaction_at, producer.transaction.value_or(Offset{-1}).value());
}

ProducerSummary decode_entry(const std::byte* from) {
  ProducerSummary producer;
  producer.id = load_big<std::int64_t>(from);
  producer.epoch = load_big<std::int16_t>(from + epoch_at);
  producer.last_sequence = load_big<std::int32_t>(from + last_sequence_at);
  producer.last_offset = Offset{load_big<std::int64_t>(from + last_offset_at)};
  producer.offset_delta = load_big<std::int32_t>(from + offset_delta_at);
  producer.timestamp = Timestamp{load_big<std::int64_t>(from + timestamp_at)};
  producer.coordinator_epoch = load_big<std::int32_t>(from + coordinator_epoch_at);
  const Offset transaction{load_big<std::int64_t>(from + transaction_at)};
  if (transaction != Offset{-1}) producer.transaction = transaction;
  return producer;
}

const char* fault_of(const ProducerSummary& producer) {
  if (producer.id < 0) return "a negative producer id";
  if (producer.epoch < -1) return "an epoch below -1";
  if (producer.coordinator_epoch < -1) return "a coordinator epoch below -1";
  if (producer.transaction && *producer.transaction < Offset{0}) {
    return "a transaction that begins at a negative offset";
  }
  if (producer.last_sequence < -1 || producer.last_offset < Offset{-1} ||
      producer.last_offset == Offset{std::numeric_limits<std::int64_t>::max()}) {
    return "a sequence or offset that is none";
  }
  if ((producer.last_sequence < 0) != (producer.last_offset < Offset{0})) {
    return "a last sequence without a last offset, or the reverse";
  }
  const bool has_batch = producer.last_sequence >= 0;
  if (producer.offset_delta < 0 ||
      (has_batch && producer.last_offset < Offset{producer.offset_delta})) {
    return "a last batch that begins at a negative offset, or behind its end";
  }
  return nullptr;
}

Error damaged(std::string_view name, const std::string& what) {
  return {Errc::corrupt_data,
          fmt::format("{} {}; delete it, the producers are found in the log then", name, what)};
}

}  // namespace

std::vector<std::byte> encode_snapshot(std::span<const ProducerSummary> producers) {
  std::vector<std::byte> content(entries_at + producers.size() * entry_bytes);
  store_big(content.data(), current_version);
  store_big(content.data() + count_at, static_cast<std::int32_t>(producers.size()));
  for (std::size_t i = 0; i < producers.size(); ++i) {
    encode_entry(content.data() + entries_at + i * entry_bytes, producers[i]);
  }
  store_big(content.data() + crc_at, crc32c(Bytes(content).subspan(count_at)));
  return content;
}

Result<std::vector<ProducerSummary>> decode_snapshot(Bytes content, std::string_view name) {
  if (content.size() < entries_at) {
    return damaged(name, fmt::format("is cut short after {} bytes", content.size()));
  }
  const auto version = load_big<std::int16_t>(content.data());
  if (version != current_version) return damaged(name, fmt::format("has version {}", version));
  if (load_big<std::uint32_t>(content.data() + crc_at) != crc32c(content.subspan(count_at))) {
    return damaged(name, "has a bad checksum");
  }
  const auto count = load_big<std::int32_t>(content.data() + count_at);
  const std::size_t bytes = content.size() - entries_at;
  if (count < 0 || bytes % entry_bytes != 0 ||
      bytes / entry_bytes != static_cast<std::size_t>(count)) {
    return damaged(name, fmt::format("has {} bytes for {} producers", bytes, count));
  }
  std::vector<ProducerSummary> producers;
  producers.reserve(static_cast<std::size_t>(count));
  std::set<std::int64_t> ids;
  for (std::size_t at = entries_at; at < content.size(); at += entry_bytes) {
    const ProducerSummary producer = decode_entry(content.data() + at);
    const char* fault = fault_of(producer);
    if (fault == nullptr && !ids.insert(producer.id).second) fault = "a producer twice";
    if (fault != nullptr) return damaged(name, fmt::format("has {} at byte {}", fault, at));
    producers.push_back(producer);
  }
  return producers;
}

Result<void> write_snapshot(const os::DirectoryPtr& directory, Offset end, Bytes content) {
  const std::string name = file_name(end, snapshot_suffix);
  const std::string temporary = name + ".tmp";
  auto written = [&]() -> Result<void> {
    MILLRACE_TRY(os::File file, directory->open(temporary, os::OpenMode::replace));
    MILLRACE_CHECK(file.write_at(content, 0));
    return directory->rename(temporary, name);
  }();
  if (!written) static_cast<void>(directory->remove(temporary));
  return written;
}

Result<std::vector<ProducerSummary>> read_snapshot(const os::DirectoryPtr& directory, Offset end) {
  const std::string name = file_name(end, snapshot_suffix);
  MILLRACE_TRY(const std::string content, directory->read_file(name));
  return decode_snapshot(as_bytes(content), name);
}

}  // namespace millrace::inline v0::storage
