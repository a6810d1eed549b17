#pragma once
#include <chrono>
#include <cstdint>
#include <millrace/core/result.hpp>
#include <millrace/record/batch_header.hpp>

namespace millrace::inline v0::storage {

/// How batches reach the active segment. Both go to the same pages and are coherent;
/// docs/durability.md has the measurements behind the choice.
enum class WritePath : std::uint8_t {
  mapped,  ///< stores into the mapping: fastest unsynced, flushed by msync of the range
  write,   ///< pwrite(2), flushed by fdatasync: fastest when every append is flushed
};

/// What one log obeys. The names are Kafka's topic configs, the defaults too, except segment_bytes:
/// an embedded log is rolled at 128 MiB so that the unsealed tail, which a power loss makes us
/// re-read, stays small.
struct LogOptions {
  std::uint64_t segment_bytes = 128u << 20;
  std::chrono::milliseconds segment_ms = std::chrono::hours(168);
  std::uint32_t segment_index_bytes = 10u << 20;
  std::uint32_t index_interval_bytes = 4096;
  std::uint32_t max_message_bytes = 1048588;  ///< largest batch
  bool preallocate = false;                   ///< reserve a whole segment at once, ahead of use
  record::TimestampType timestamp_type = record::TimestampType::create_time;

  bool cleanup_delete = true;
  bool cleanup_compact = false;
  std::chrono::milliseconds retention_ms = std::chrono::hours(168);  ///< negative: keep for ever
  std::int64_t retention_bytes = -1;                                 ///< negative: no limit
  std::chrono::milliseconds file_delete_delay = std::chrono::minutes(1);
  std::chrono::milliseconds min_compaction_lag{0};
  std::chrono::milliseconds max_compaction_lag = std::chrono::milliseconds::max();
  std::chrono::milliseconds delete_retention = std::chrono::hours(24);
  double min_cleanable_dirty_ratio = 0.5;
  std::uint64_t dedupe_buffer_bytes = 128u << 20;  ///< for the keys of one compaction, at most

  /// Some of the records are to be seen later: readers leave them out where they stand, and
  /// retention waits for who delivers them (Log::keep_from).
  bool delayed_delivery = false;

  /// How long a producer that does not write is remembered.
  std::chrono::milliseconds producer_expiration = std::chrono::hours(24);

  WritePath write_path = WritePath::write;
  /// Whether readers see a batch when it is appended, or only once it is flushed.
  bool visible_on_append = false;
};

/// What segment_bytes may be: positions in an index are 32 bits wide, and signed in Kafka.
inline constexpr std::uint64_t smallest_segment = 1024;
inline constexpr std::uint64_t largest_segment = (1u << 31) - 1;

/// invalid_argument, naming the option, its value and its range, if a log cannot work with them.
Result<void> check_options(const LogOptions& options);

}  // namespace millrace::inline v0::storage
