#pragma once
#include <cstdint>
#include <functional>
#include <millrace/core/bytes.hpp>
#include <millrace/core/offset.hpp>
#include <optional>

namespace millrace::inline v0 {

/// What a partitioner decides by.
struct RouteInput {
  std::optional<Bytes> key;
  Bytes value;
  std::int32_t partitions = 1;
  std::size_t batch_bytes = 0;  ///< the producer's batch size, for sticky choices
};

/// Chooses the partition of a record, from 0 to partitions - 1. Any callable of this form serves;
/// it is called from every thread that sends, so it must be thread-safe.
using Partitioner = std::function<PartitionId(const RouteInput&)>;

namespace partitioner {

/// Kafka's murmur2 (seed 0x9747b28c) over `key`, as the Java client computes it.
std::int32_t murmur2_hash(Bytes key) noexcept;

/// The default, and the Java client's: by key `(murmur2 & 0x7fffffff) % partitions`, without a key
/// sticky.
Partitioner murmur2();
/// One partition until a batch's worth of bytes went there, then another at random (KIP-480,
/// KIP-794). Keys do not count.
Partitioner sticky();
Partitioner round_robin();
/// Uniformly random; `seed` makes it repeatable.
Partitioner random(std::optional<std::uint64_t> seed = std::nullopt);

}  // namespace partitioner
}  // namespace millrace::inline v0
