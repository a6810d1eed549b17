#pragma once
#include <millrace/core/bytes.hpp>
#include <millrace/os/directory.hpp>
#include <millrace/storage/producer_state.hpp>
#include <span>
#include <string_view>
#include <vector>

namespace millrace::inline v0::storage {

// A `.snapshot` file, Kafka's: the producers of a log at the offset in the file's name. Derived
// data: a log without one reads its batches instead.

/// The content of a snapshot file.
std::vector<std::byte> encode_snapshot(std::span<const ProducerSummary> producers);

/// The producers of a snapshot file; `name` is for messages. corrupt_data if anything in it is not
/// as encode_snapshot() or Kafka writes it.
Result<std::vector<ProducerSummary>> decode_snapshot(Bytes content, std::string_view name);

/// Replaces the snapshot at `end`: a crash leaves the old one, the new one, or after a loss of
/// power one that decode_snapshot() refuses. Nothing is synced.
Result<void> write_snapshot(const os::DirectoryPtr& directory, Offset end, Bytes content);

/// Reads the snapshot at `end`. corrupt_data as decode_snapshot(), or what the system says.
Result<std::vector<ProducerSummary>> read_snapshot(const os::DirectoryPtr& directory, Offset end);

}  // namespace millrace::inline v0::storage
