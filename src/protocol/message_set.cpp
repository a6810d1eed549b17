#include <fmt/format.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <millrace/protocol/message_set.hpp>
#include <millrace/protocol/wire.hpp>
#include <millrace/record/compression.hpp>

#include "protocol/legacy_lz4.hpp"

namespace millrace::inline v0::protocol {
namespace {

constexpr std::string_view doing = "reading a message set";
// From the end of the size on.
constexpr std::size_t crc_bytes = 4;
constexpr std::int8_t codec_mask = 0x07;
constexpr std::int8_t append_time_bit = 0x08;

std::uint32_t crc32(Bytes bytes) noexcept {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

Error corrupt(std::string_view what) {
  return {Errc::corrupt_data,
          fmt::format("{}: {}; the bytes are damaged or their sender does not know the format",
                      doing, what)};
}

}  // namespace

struct MessageSet::Entry {
  std::int64_t offset = 0;
  std::int8_t magic = 0;
  std::int8_t attributes = 0;
  std::int64_t timestamp = -1;
  std::optional<Bytes> key;
  std::optional<Bytes> value;

  std::int8_t codec() const noexcept { return static_cast<std::int8_t>(attributes & codec_mask); }
  bool has_append_time() const noexcept { return magic > 0 && (attributes & append_time_bit) != 0; }
  LegacyRecord to_record() const {
    const auto type = has_append_time() ? record::TimestampType::log_append_time
                                        : record::TimestampType::create_time;
    return {Offset{offset}, Timestamp{timestamp}, type, key, value};
  }
};

Result<MessageSet::Entry> MessageSet::take_entry(Bytes& rest) {
  WireReader outer(rest);
  Entry entry;
  entry.offset = outer.int64();
  // A negative size becomes one that does not fit.
  const Bytes body = outer.take(static_cast<std::size_t>(outer.int32()));
  MILLRACE_CHECK(outer.check(doing));
  WireReader reader(body);
  const std::uint32_t crc = reader.uint32();
  entry.magic = reader.int8();
  entry.attributes = reader.int8();
  MILLRACE_CHECK(reader.check(doing));
  if (entry.magic != 0 && entry.magic != 1)
    return corrupt(fmt::format("a record has the magic {}, not 0 or 1", entry.magic));
  if (entry.magic == 1) entry.timestamp = reader.int64();
  entry.key = reader.nullable_bytes();
  entry.value = reader.nullable_bytes();
  MILLRACE_CHECK(reader.finish(doing));
  if (crc != crc32(body.subspan(crc_bytes))) return corrupt("the CRC of a record does not match");
  rest = rest.subspan(outer.position());
  return entry;
}

Result<void> MessageSet::number(const Entry& wrapper, std::span<LegacyRecord> records,
                                bool are_numbered) {
  const auto count = static_cast<std::int64_t>(records.size());
  // The wrapper has the offset of the last one, or 0, as some clients leave it.
  if (!are_numbered) {
    const std::int64_t base = std::max(wrapper.offset, count - 1) - (count - 1);
    for (std::int64_t i = 0; i < count; ++i)
      records[static_cast<std::size_t>(i)].offset = Offset{base + i};
    return {};
  }
  if (wrapper.magic == 0 || wrapper.offset == 0) return {};
  const std::int64_t last = records.back().offset.value();
  if (records.front().offset < Offset{0} || wrapper.offset < last)
    return corrupt("the offset of a compressed record is not that of the last one in it");
  for (LegacyRecord& record : records) record.offset = record.offset + (wrapper.offset - last);
  return {};
}

Result<void> MessageSet::add_wrapped(const Entry& wrapper, std::size_t& limit_bytes) {
  const auto codec = static_cast<record::Codec>(wrapper.codec());
  if (codec > record::Codec::lz4) {
    return Error(Errc::unsupported,
                 fmt::format("{}: codec {} is not for magic {}; send record batches to use it",
                             doing, wrapper.codec(), wrapper.magic));
  }
  if (!wrapper.value) return corrupt("a compressed record has no value");
  std::vector<std::byte>& inner = decompressed_.emplace_back();
  MILLRACE_CHECK(
      codec == record::Codec::lz4
          ? record::decompress(codec, with_sound_lz4_header(*wrapper.value), inner, limit_bytes)
          : record::decompress(codec, *wrapper.value, inner, limit_bytes));
  limit_bytes -= inner.size();
  const std::size_t first = records_.size();
  bool are_numbered = true;
  for (Bytes rest = inner; !rest.empty();) {
    MILLRACE_TRY(const Entry entry, take_entry(rest));
    if (entry.codec() != 0) return corrupt("a compressed record holds another one");
    if (entry.magic != wrapper.magic) return corrupt("a compressed record holds another magic");
    LegacyRecord record = entry.to_record();
    if (records_.size() > first) are_numbered &= records_.back().offset < record.offset;
    if (wrapper.has_append_time()) record.timestamp = Timestamp{wrapper.timestamp};
    if (wrapper.has_append_time()) record.timestamp_type = record::TimestampType::log_append_time;
    records_.push_back(record);
  }
  if (records_.size() == first) return corrupt("a compressed record holds none");
  if (codec_ == record::Codec::none) codec_ = codec;
  return number(wrapper, std::span(records_).subspan(first), are_numbered);
}

Result<MessageSet> MessageSet::parse(Bytes bytes, std::size_t limit_bytes) {
  MessageSet set;
  while (!bytes.empty()) {
    MILLRACE_TRY(const Entry entry, take_entry(bytes));
    if (entry.codec() == 0) {
      set.records_.push_back(entry.to_record());
    } else {
      MILLRACE_CHECK(set.add_wrapped(entry, limit_bytes));
    }
  }
  return set;
}

void write_legacy_record(const LegacyRecord& record, std::int8_t magic,
                         std::vector<std::byte>& to) {
  WireWriter writer(to);
  writer.int64(record.offset.value());
  const std::size_t size_at = to.size();
  writer.int32(0);
  writer.uint32(0);
  writer.int8(magic);
  const bool append_time = record.timestamp_type == record::TimestampType::log_append_time;
  writer.int8(magic > 0 && append_time ? append_time_bit : std::int8_t{0});
  if (magic > 0) writer.int64(record.timestamp.milliseconds());
  writer.nullable_bytes(record.key);
  writer.nullable_bytes(record.value);
  const Bytes body = Bytes(to).subspan(size_at + sizeof(std::int32_t));
  store_big(to.data() + size_at, static_cast<std::int32_t>(body.size()));
  store_big(to.data() + size_at + sizeof(std::int32_t), crc32(body.subspan(crc_bytes)));
}

}  // namespace millrace::inline v0::protocol
