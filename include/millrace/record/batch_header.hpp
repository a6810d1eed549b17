#pragma once
#include <cstdint>
#include <millrace/core/bytes.hpp>
#include <millrace/core/offset.hpp>

namespace millrace::inline v0::record {

/// Kafka's codecs, by their number in a batch's attributes.
enum class Codec : std::uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

enum class TimestampType : std::uint8_t { create_time = 0, log_append_time = 1 };

/// Where the fields of a record batch v2 stand, in bytes from its start; integers are big-endian.
/// Source: Kafka's DefaultRecordBatch; docs/log_format.md has the diagram.
namespace layout {
inline constexpr std::size_t base_offset = 0;
inline constexpr std::size_t batch_length = 8;  ///< bytes after this field: size - 12
inline constexpr std::size_t leader_epoch = 12;
inline constexpr std::size_t magic = 16;
inline constexpr std::size_t crc = 17;  ///< CRC-32C of everything from attributes on
inline constexpr std::size_t attributes = 21;
inline constexpr std::size_t last_offset_delta = 23;
inline constexpr std::size_t base_timestamp = 27;
inline constexpr std::size_t max_timestamp = 35;
inline constexpr std::size_t producer_id = 43;
inline constexpr std::size_t producer_epoch = 51;
inline constexpr std::size_t base_sequence = 53;
inline constexpr std::size_t record_count = 57;
inline constexpr std::size_t header_bytes = 61;
inline constexpr std::size_t length_overhead = 12;  ///< size = batch_length + this
}  // namespace layout

inline constexpr std::int16_t attribute_codec_mask = 0x07;
inline constexpr std::int16_t attribute_log_append_time = 0x08;
inline constexpr std::int16_t attribute_transactional = 0x10;
inline constexpr std::int16_t attribute_control = 0x20;
inline constexpr std::int16_t attribute_delete_horizon = 0x40;
inline constexpr std::int8_t current_magic = 2;

/// Who produced a batch (KIP-98); all -1 without idempotence.
struct ProducerIdentity {
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  std::int32_t base_sequence = -1;
  friend bool operator==(const ProducerIdentity&, const ProducerIdentity&) = default;
};

}  // namespace millrace::inline v0::record
