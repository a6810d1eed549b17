#include "dump_print.hpp"

#include <fmt/format.h>

#include "internal_records.hpp"

namespace millrace::inline v0::cli {
namespace {

using record::BatchView;
using record::RecordView;

std::string_view name_of(record::Codec codec) noexcept {
  switch (codec) {
    case record::Codec::none:
      return "none";
    case record::Codec::gzip:
      return "gzip";
    case record::Codec::snappy:
      return "snappy";
    case record::Codec::lz4:
      return "lz4";
    case record::Codec::zstd:
      return "zstd";
  }
  return "unknown";
}

std::string_view name_of(record::TimestampType type) noexcept {
  return type == record::TimestampType::log_append_time ? "LogAppendTime" : "CreateTime";
}

/// -1 without idempotence.
std::int32_t sequence_of(const BatchView& batch, std::int64_t delta) noexcept {
  const std::int32_t base = batch.producer().base_sequence;
  if (base < 0) return -1;
  return static_cast<std::int32_t>((base + delta) & 0x7fffffff);
}

/// As it is if it is text; with `\xNN` for what is no printable UTF-8, so that a line stays one.
std::string readable(Bytes bytes) {
  const std::string_view text = as_text(bytes);
  const bool is_text = is_utf8(text);
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '\\') {
      out += "\\\\";
    } else if (u < ' ' || u == 0x7f || (u > 0x7f && !is_text)) {
      out += fmt::format("\\x{:02x}", u);
    } else {
      out += c;
    }
  }
  return out;
}

std::int64_t size_of(const std::optional<Bytes>& bytes) {
  return bytes ? static_cast<std::int64_t>(bytes->size()) : -1;
}

void put(Json& object, const std::string& name, const std::optional<Bytes>& bytes) {
  if (!bytes) {
    object[name] = nullptr;
  } else if (is_utf8(as_text(*bytes))) {
    object[name] = as_text(*bytes);
  } else {
    object[name] = to_base64(as_text(*bytes));
    object[name + "_encoding"] = "base64";
  }
}

void add_producer(Json& to, const storage::ProducerSummary& producer) {
  to["producerId"] = producer.id;
  to["producerEpoch"] = producer.epoch;
  to["coordinatorEpoch"] = producer.coordinator_epoch;
  to["currentTxnFirstOffset"] = nullptr;
  if (producer.transaction) to["currentTxnFirstOffset"] = producer.transaction->value();
  to["lastTimestamp"] = producer.timestamp.milliseconds();
  to["lastSequence"] = producer.last_sequence;
  to["lastOffset"] = producer.last_offset.value();
  to["offsetDelta"] = producer.offset_delta;
}

/// The members from the `from`th on, in the manner of Kafka's dump tool.
std::string as_line(const Json& object, std::size_t from) {
  std::string line;
  for (const auto& [name, value] : object.items()) {
    if (from > 0) {
      --from;
      continue;
    }
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    line += fmt::format("{}{}: {}", line.empty() ? "" : " ", name, value.is_null() ? "None" : text);
  }
  return line;
}

/// What a control batch says; empty for any other batch.
Json marker_in(const BatchView& batch) {
  if (!batch.is_control()) return {};
  const auto marker = storage::read_marker(batch);
  if (!marker) return {};
  return {{"endTxnMarker", marker->is_commit ? "COMMIT" : "ABORT"},
          {"coordinatorEpoch", marker->coordinator_epoch}};
}

/// Of a record of a topic of our own what it means, of any other its bytes.
std::string content_of(std::string_view partition, const RecordView& record) {
  std::string text;
  const auto decoded = decode_internal(partition, record);
  if (record.key) text += " key: " + (decoded ? line_of(decoded->key) : readable(*record.key));
  if (record.value) {
    text += " payload: " + (decoded ? line_of(decoded->value) : readable(*record.value));
  }
  return text;
}

}  // namespace

void DumpPrinter::file(std::string_view partition, std::string_view file, std::string& out) {
  if (partition == partition_ && file == file_) return;
  partition_ = partition;
  file_ = file;
  if (!json_) out += fmt::format("Dumping {}/{}\n", partition, file);
}

void DumpPrinter::batch(const BatchView& batch, FilePosition position, bool crc_matches,
                        std::string& out) const {
  if (!json_) {
    const auto horizon = batch.delete_horizon();
    out += fmt::format(
        "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} "
        "producerId: {} producerEpoch: {} partitionLeaderEpoch: {} isTransactional: {} "
        "isControl: {} deleteHorizonMs: {} position: {} {}: {} size: {} magic: 2 "
        "compresscodec: {} crc: {} isvalid: {}\n",
        batch.base_offset().value(), batch.last_offset().value(), batch.record_count(),
        batch.producer().base_sequence, sequence_of(batch, batch.last_offset_delta()),
        batch.producer().id, batch.producer().epoch,
        static_cast<std::int32_t>(batch.leader_epoch()), batch.is_transactional(),
        batch.is_control(), horizon ? std::to_string(horizon->milliseconds()) : "none",
        position.value(), name_of(batch.timestamp_type()), batch.max_timestamp().milliseconds(),
        batch.size(), name_of(batch.codec()), batch.stored_crc(), crc_matches);
    return;
  }
  Json one;
  one["type"] = "batch";
  one["partition"] = partition_;
  one["file"] = file_;
  one["position"] = position.value();
  one["size"] = batch.size();
  one["base_offset"] = batch.base_offset().value();
  one["last_offset"] = batch.last_offset().value();
  one["count"] = batch.record_count();
  one["leader_epoch"] = static_cast<std::int32_t>(batch.leader_epoch());
  one["producer_id"] = batch.producer().id;
  one["producer_epoch"] = batch.producer().epoch;
  one["base_sequence"] = batch.producer().base_sequence;
  one["is_transactional"] = batch.is_transactional();
  one["is_control"] = batch.is_control();
  one["timestamp_type"] = name_of(batch.timestamp_type());
  one["base_timestamp"] = batch.base_timestamp().milliseconds();
  one["max_timestamp"] = batch.max_timestamp().milliseconds();
  one["codec"] = name_of(batch.codec());
  one["crc"] = batch.stored_crc();
  one["crc_ok"] = crc_matches;
  out += one.dump() + "\n";
}

void DumpPrinter::record(const BatchView& batch, const RecordView& record, std::string& out) const {
  const std::int32_t sequence = sequence_of(batch, record.offset - batch.base_offset());
  const Json marker = marker_in(batch);
  if (!json_) {
    out += fmt::format("| offset: {} {}: {} keySize: {} valueSize: {} sequence: {} headerKeys: [",
                       record.offset.value(), name_of(batch.timestamp_type()),
                       record.timestamp.milliseconds(), size_of(record.key), size_of(record.value),
                       sequence);
    std::string_view comma;
    for (const record::HeaderView& header : record.headers) {
      out += fmt::format("{}{}", comma, readable(as_bytes(header.key)));
      comma = ",";
    }
    out += "]";
    out += marker.empty() ? content_of(partition_, record) : " " + as_line(marker, 0);
    out += "\n";
    return;
  }
  Json one;
  one["type"] = "record";
  one["partition"] = partition_;
  one["offset"] = record.offset.value();
  one["timestamp"] = record.timestamp.milliseconds();
  one["sequence"] = sequence;
  put(one, "key", record.key);
  put(one, "value", record.value);
  one["headers"] = Json::array();
  for (const record::HeaderView& header : record.headers) {
    Json entry;
    put(entry, "key", as_bytes(header.key));
    put(entry, "value", header.value);
    one["headers"].push_back(std::move(entry));
  }
  if (!marker.empty()) {
    one.update(marker);
  } else if (const auto decoded = decode_internal(partition_, record)) {
    one["decoded_key"] = decoded->key;
    one["decoded_value"] = decoded->value;
  }
  out += line_of(one) + "\n";
}

void DumpPrinter::damage(const storage::DumpItem& item, std::string& out) const {
  if (!json_) {
    out += fmt::format("DAMAGED position: {} size: {}", item.position.value(), item.bytes.size());
    if (item.offsets.begin < item.offsets.end) {
      out +=
          fmt::format(" offsets: [{}, {})", item.offsets.begin.value(), item.offsets.end.value());
    } else {
      out += fmt::format(" from offset: {}", item.offsets.begin.value());
    }
    out += "\n";
    return;
  }
  Json one;
  one["type"] = "damage";
  one["partition"] = partition_;
  one["file"] = file_;
  one["position"] = item.position.value();
  one["size"] = item.bytes.size();
  one["offsets"] = Json::array({item.offsets.begin.value(), item.offsets.end.value()});
  out += one.dump() + "\n";
}

void DumpPrinter::index_entry(const storage::IndexItem& item, std::string& out) const {
  Json one;
  one["type"] = "index_entry";
  one["partition"] = partition_;
  one["file"] = file_;
  const std::size_t begin = one.size();
  if (const auto* offset = std::get_if<storage::OffsetEntry>(&item.entry)) {
    one["offset"] = offset->offset.value();
    one["position"] = offset->position.value();
  } else if (const auto* time = std::get_if<storage::TimeEntry>(&item.entry)) {
    one["timestamp"] = time->timestamp.milliseconds();
    one["offset"] = time->offset.value();
  } else if (const auto* aborted = std::get_if<storage::AbortedTransaction>(&item.entry)) {
    one["type"] = "aborted_transaction";
    one["producerId"] = aborted->producer_id;
    one["firstOffset"] = aborted->first_offset.value();
    one["lastOffset"] = aborted->last_offset.value();
    one["lastStableOffset"] = aborted->last_stable_offset.value();
  } else if (const auto* producer = std::get_if<storage::ProducerSummary>(&item.entry)) {
    one["type"] = "producer";
    add_producer(one, *producer);
  }
  out += json_ ? one.dump() : as_line(one, begin);
  out += "\n";
}

}  // namespace millrace::inline v0::cli
