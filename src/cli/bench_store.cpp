#include "bench_store.hpp"

#include <algorithm>

namespace millrace::inline v0::cli::bench {

Store open_store(const std::string& path, const TopicOptions& options) {
  Broker broker = must(Broker::open(path));
  BytesTopic topic = must(broker.topic<std::string_view, Bytes>("bench", options));
  return {std::move(broker), std::move(topic)};
}

TopicSettings reserved_for(std::uint64_t bytes) {
  constexpr std::uint64_t page = 4096;
  return {{"preallocate", "true"},
          {"segment.bytes", std::to_string((bytes / page + 1) * page)},
          {"max.message.bytes", "2097152"}};
}

std::uint64_t stored_bytes(std::uint64_t records, std::size_t value_bytes, std::size_t batch) {
  constexpr std::uint64_t record_overhead = 12;
  return records * (value_bytes + record_overhead) +
         (records / batch + 1) * record::layout::header_bytes;
}

PayloadWriter::PayloadWriter(PartitionHandle partition, std::size_t value_bytes, std::size_t batch)
    : partition_(std::move(partition)), payload_(value_bytes), value_(value_bytes), batch_(batch) {}

void PayloadWriter::append() {
  if (batch_ == 1) {
    payload_.make(value_.data(), sequence_++, value_.size());
    if (auto done = partition_.append(std::nullopt, value_); !done) [[unlikely]] {
      fail(done.error().message());
    }
    return;
  }
  const Timestamp now = system_clock().now();
  for (std::size_t i = 0; i < batch_; ++i) {
    payload_.make(value_.data(), sequence_++, value_.size());
    must(builder_.add(now, std::nullopt, value_));
  }
  must(partition_.append(builder_));
}

void check_last(const BytesPartition& partition, std::uint64_t count, std::size_t value_bytes) {
  const Offset end = partition.offsets().end;
  if (end != Offset{static_cast<std::int64_t>(count)}) {
    fail("a partition ends at " + std::to_string(end.value()) + " but " + std::to_string(count) +
         " records were written");
  }
  const auto last = must(partition.read(end - 1, true));
  const Bytes value = last->value();
  if (value.size() != value_bytes || !Payload(value_bytes).matches(value, count - 1)) {
    fail("the last record does not come back as it was written");
  }
}

}  // namespace millrace::inline v0::cli::bench
