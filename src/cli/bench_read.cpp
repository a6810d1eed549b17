#include "bench_rows.hpp"
#include "bench_store.hpp"

namespace millrace::inline v0::cli::bench {
namespace {

/// Batches of 10 KiB, and of 16 KiB, which is what Kafka's producers gather at most by default.
std::size_t batch_for(std::size_t value_bytes) {
  return value_bytes < 1024 ? 100 : 16;
}

std::uint64_t fill(const std::string& path, std::size_t value_bytes, const Effort& effort) {
  TopicOptions options;
  options.flush = flush::by_os{};
  const Store store = open_store(path, options);
  const std::size_t batch_records = batch_for(value_bytes);
  PayloadWriter writer(store.partition(0).handle(), value_bytes, batch_records);
  const std::uint64_t most_records = effort.most_bytes() / value_bytes;
  while (writer.count() + batch_records <= most_records) writer.append();
  must(store.broker.close());
  return writer.count();
}

void scan_row(const BytesPartition& partition, std::uint64_t count, const Effort& effort,
              const RowSink& sink) {
  const auto first = must(partition.read(Offset{0}));
  const std::size_t value_bytes = first->value().size();
  std::uint64_t records = 0;
  std::uint64_t touched = 0;
  const auto start = SteadyClock::now();
  do {
    std::uint64_t expected = 0;
    auto scan = partition.scan(Offset{0});
    for (const auto& record : scan) {
      const Bytes value = *record.raw_value();
      if (value.size() != value_bytes || sequence_of(value.data()) != expected) {
        fail("a scan finds something else at " + std::to_string(expected));
      }
      touched += sequence_of(value.data() + value.size() - sizeof touched);
      ++expected;
    }
    must(scan.status());
    if (expected != count) fail("a scan finds " + std::to_string(expected) + " records");
    records += expected;
  } while (seconds_since(start) < effort.seconds / 2);
  const double seconds = seconds_since(start);
  asm volatile("" ::"r"(touched));
  sink("millrace/scan" + size_tag(value_bytes), static_cast<double>(records) / seconds, "rec/s");
}

void get_row(const BytesPartition& partition, std::uint64_t count, const Effort& effort,
             const RowSink& sink) {
  const auto first = must(partition.read(Offset{0}));
  const std::size_t value_bytes = first->value().size();
  std::vector<std::byte> out(value_bytes);
  Random random(11);
  const auto get = [&] {
    const std::uint64_t wanted = random.below(count);
    const auto found = partition.read(Offset{static_cast<std::int64_t>(wanted)});
    if (!found) fail(found.error().message());
    const Bytes value = *(*found)->raw_value();
    std::memcpy(out.data(), value.data(), value_bytes);
    if (sequence_of(out.data()) != wanted) fail("get " + std::to_string(wanted) + " is wrong");
  };
  for (int i = 0; i < 2000; ++i) get();
  const auto start = SteadyClock::now();
  std::uint64_t gets = 0;
  while (gets % 64 != 0 || seconds_since(start) < effort.seconds / 2) get(), ++gets;
  sink("millrace/get" + size_tag(value_bytes), static_cast<double>(gets) / seconds_since(start),
       "rec/s");
}

}  // namespace

void read_rows(std::size_t value_bytes, const Effort& effort, const RowSink& sink) {
  const Scratch scratch;
  const std::string path = scratch / "reads";
  const std::uint64_t count = fill(path, value_bytes, effort);
  sink("millrace/space" + size_tag(value_bytes),
       static_cast<double>(allocated_bytes(path)) / static_cast<double>(count), "B/rec");
  const Store store = open_store(path, {.create_if_missing = false});
  const BytesPartition partition = store.partition(0);
  check_last(partition, count, value_bytes);
  scan_row(partition, count, effort, sink);
  get_row(partition, count, effort, sink);
}

}  // namespace millrace::inline v0::cli::bench
