#pragma once
#include <cstddef>
#include <cstdint>
#include <millrace/core/bytes.hpp>
#include <millrace/core/offset.hpp>
#include <millrace/core/result.hpp>
#include <millrace/record/batch_header.hpp>
#include <optional>
#include <span>
#include <vector>

namespace millrace::inline v0::protocol {

/// A record as it was before record batches: without headers and producer.
struct LegacyRecord {
  Offset offset{};
  /// Timestamp::none() in magic 0.
  Timestamp timestamp = Timestamp::none();
  record::TimestampType timestamp_type = record::TimestampType::create_time;
  std::optional<Bytes> key = {};
  std::optional<Bytes> value = {};
};

/// The formats before record batches (magic 0 and 1), which Produce and Fetch carry up to v2 and
/// v3: records one behind the other. If they are compressed they are the value of one that wraps
/// them.
class MessageSet {
 public:
  /// Takes `bytes` apart, wrappers included, and checks every CRC. The records point into `bytes`,
  /// or into memory of the set if they were compressed. Those in a wrapper have the offsets that
  /// Kafka would give them, also if the client did not number them.
  ///
  /// Errc::corrupt_data if the bytes are cut short or make no sense, or grow beyond `limit_bytes`
  /// when they are decompressed; Errc::unsupported for a codec that the format does not have, or
  /// this build.
  static Result<MessageSet> parse(Bytes bytes, std::size_t limit_bytes = std::size_t{1} << 30);

  MessageSet(MessageSet&&) noexcept = default;
  MessageSet& operator=(MessageSet&&) noexcept = default;
  MessageSet(const MessageSet&) = delete;
  MessageSet& operator=(const MessageSet&) = delete;
  ~MessageSet() = default;

  /// In the order of the set; valid as long as the set and what it was made of.
  const std::vector<LegacyRecord>& records() const noexcept { return records_; }
  /// Of the first wrapper; none if nothing is compressed.
  record::Codec codec() const noexcept { return codec_; }

 private:
  struct Entry;
  MessageSet() = default;
  static Result<Entry> take_entry(Bytes& rest);
  Result<void> add_wrapped(const Entry& wrapper, std::size_t& limit_bytes);
  static Result<void> number(const Entry& wrapper, std::span<LegacyRecord> records,
                             bool are_numbered);

  std::vector<LegacyRecord> records_;
  std::vector<std::vector<std::byte>> decompressed_;
  record::Codec codec_ = record::Codec::none;
};

/// Appends an uncompressed record in the format `magic`, 0 or 1.
void write_legacy_record(const LegacyRecord& record, std::int8_t magic, std::vector<std::byte>& to);

}  // namespace millrace::inline v0::protocol
