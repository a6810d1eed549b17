#pragma once
#include <millrace/millrace.hpp>

#include "bench_support.hpp"

namespace millrace::inline v0::cli::bench {

using BytesTopic = Topic<std::string_view, Bytes>;
using BytesPartition = Partition<std::string_view, Bytes>;

/// A broker with one topic.
struct Store {
  Broker broker;
  BytesTopic topic;
  BytesPartition partition(PartitionId id) const { return must(topic.partition(id)); }
};

/// Opens `path` and its topic "bench", creating what is missing.
Store open_store(const std::string& path, const TopicOptions& options);

/// Settings of a topic whose segment takes `bytes`, reserved, zeroed and faulted in at the first
/// append.
TopicSettings reserved_for(std::uint64_t bytes);

/// Bytes that `records` of `value_bytes` take on disk, at most, in batches of `batch`.
std::uint64_t stored_bytes(std::uint64_t records, std::size_t value_bytes, std::size_t batch);

/// One thread's way of writing payloads to one partition in order, in batches of `batch`.
class PayloadWriter {
 public:
  PayloadWriter(PartitionHandle partition, std::size_t value_bytes, std::size_t batch);
  /// Appends the next batch; returns when it is acknowledged.
  void append();
  std::uint64_t count() const { return sequence_; }

 private:
  PartitionHandle partition_;
  Payload payload_;
  std::vector<std::byte> value_;
  std::size_t batch_;
  std::uint64_t sequence_ = 0;
  record::BatchBuilder builder_;
};

/// Fails unless the partition ends with record `count` - 1, with the payload it was written with.
void check_last(const BytesPartition& partition, std::uint64_t count, std::size_t value_bytes);

}  // namespace millrace::inline v0::cli::bench
