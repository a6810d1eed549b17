#include <atomic>
#include <memory>

#include "bench_rows.hpp"
#include "bench_store.hpp"

namespace millrace::inline v0::cli::bench {
namespace {

constexpr std::size_t value_bytes = 100;
constexpr std::size_t batch_records = 100;
constexpr PartitionId partitions = 4;
constexpr int readers = 2;

using BytesConsumer = Consumer<std::string_view, Bytes>;
using BytesMember = GroupConsumer<std::string_view, Bytes>;
using BytesGroup = ConsumerGroup<std::string_view, Bytes>;

Store filled_store(const Effort& effort, std::uint64_t& count) {
  TopicOptions options;
  options.partitions = partitions;
  options.flush = flush::by_os{};
  Store store = open_store(":memory:", options);
  const std::uint64_t each = effort.most_bytes() / 2 / value_bytes / partitions;
  count = 0;
  for (PartitionId id = 0; id < partitions; ++id) {
    PayloadWriter writer(store.partition(id).handle(), value_bytes, batch_records);
    while (writer.count() < each) writer.append();
    count += writer.count();
  }
  return store;
}

/// Looks at the records of a poll; how many there were.
template <typename Reader>
std::uint64_t take(Reader& reader, std::chrono::milliseconds wait, std::uint64_t& touched) {
  const auto records = must(reader.poll(wait));
  std::uint64_t count = 0;
  for (const auto& record : records) {
    touched += sequence_of(record.raw_value()->data());
    ++count;
  }
  must(records.status());
  return count;
}

/// Lets readers read all there is, each on a thread of its own; records a second.
template <typename Reader>
double rate_of(std::vector<std::unique_ptr<Reader>>& all, std::uint64_t count) {
  std::atomic<std::uint64_t> left{count};
  const auto start = SteadyClock::now();
  in_threads(static_cast<int>(all.size()), [&](int i) {
    Reader& reader = *all[static_cast<std::size_t>(i)];
    std::uint64_t touched = 0;
    while (left.load() > 0) left -= take(reader, std::chrono::milliseconds(1), touched);
    asm volatile("" ::"r"(touched));
  });
  return static_cast<double>(count) / seconds_since(start);
}

/// The same number of records a poll, and as many bytes as that takes.
ConsumerOptions reading() {
  ConsumerOptions options;
  options.max_records = 10'000;
  return options;
}

GroupOptions grouped() {
  GroupOptions options;
  options.consumer = reading();
  return options;
}

}  // namespace

void consumption_limit(const Effort& effort, const RowSink& sink) {
  std::uint64_t count = 0;
  const Store store = filled_store(effort, count);
  std::vector<std::unique_ptr<BytesConsumer>> consumers;
  for (PartitionId r = 0; r < readers; ++r) {
    consumers.push_back(std::make_unique<BytesConsumer>(store.topic, reading()));
    must(consumers.back()->assign({r, r + readers}));
  }
  sink("limit/group.consume/100B", rate_of(consumers, count), "rec/s");
}

void consumption_rows(const Effort& effort, const RowSink& sink) {
  std::uint64_t count = 0;
  const Store store = filled_store(effort, count);
  const BytesGroup group(store.topic, "g", grouped());
  std::vector<std::unique_ptr<BytesMember>> members;
  members.reserve(readers);
  for (int r = 0; r < readers; ++r) {
    members.push_back(std::make_unique<BytesMember>(must(group.join())));
  }
  sink("millrace/group.consume/100B", rate_of(members, count), "rec/s");
}

}  // namespace millrace::inline v0::cli::bench
