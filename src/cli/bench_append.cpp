#include <algorithm>
#include <atomic>
#include <memory>

#include "bench_rows.hpp"
#include "bench_store.hpp"

namespace millrace::inline v0::cli::bench {
namespace {

TopicOptions options_of(const AppendShape& shape, std::uint64_t records) {
  TopicOptions options;
  options.partitions = shape.threads;
  options.flush = shape.sync ? flush::Any(flush::before_ack{}) : flush::Any(flush::by_os{});
  options.settings = reserved_for(stored_bytes(records, shape.value_bytes, shape.batch));
  return options;
}

/// Appends until the time or `most_records` is reached; looks at the clock rarely where that would
/// count.
void fill(PayloadWriter& writer, const AppendShape& shape, std::uint64_t most_records,
          double seconds) {
  const auto start = SteadyClock::now();
  const unsigned look_every = shape.sync || shape.batch >= 100 ? 1 : 64;
  for (unsigned k = 0; writer.count() + shape.batch <= most_records; ++k) {
    if (k % look_every == 0 && seconds_since(start) >= seconds) break;
    writer.append();
  }
}

void check_stored(const std::string& path, const AppendShape& shape,
                  const std::vector<std::uint64_t>& counts) {
  std::uint64_t total = 0;
  for (const std::uint64_t count : counts) total += count;
  if (allocated_bytes(path) < total * shape.value_bytes) {
    fail("fewer bytes are allocated than payload was written");
  }
  const Store store = open_store(path, {.create_if_missing = false});
  for (int id = 0; id < shape.threads; ++id) {
    check_last(store.partition(id), counts[static_cast<std::size_t>(id)], shape.value_bytes);
  }
}

/// One pass into an empty directory; records a second.
double append_pass(const std::string& path, const AppendShape& shape, const Effort& effort) {
  const auto threads = static_cast<std::uint64_t>(shape.threads);
  const std::uint64_t most_records = effort.most_bytes() / shape.value_bytes / threads;
  std::vector<std::unique_ptr<PayloadWriter>> writers;
  double seconds = 0;
  std::uint64_t before = 0;
  {
    const Store store = open_store(path, options_of(shape, most_records));
    for (int id = 0; id < shape.threads; ++id) {
      writers.push_back(std::make_unique<PayloadWriter>(store.partition(id).handle(),
                                                        shape.value_bytes, shape.batch));
      writers.back()->append();  // reserves the segment
      before += writers.back()->count();
    }
    const auto start = SteadyClock::now();
    in_threads(shape.threads, [&](int t) {
      fill(*writers[static_cast<std::size_t>(t)], shape, most_records, effort.seconds);
    });
    seconds = seconds_since(start);
    must(store.broker.close());
  }
  std::vector<std::uint64_t> counts;
  std::uint64_t total = 0;
  for (const auto& writer : writers) total += counts.emplace_back(writer->count());
  check_stored(path, shape, counts);
  return static_cast<double>(total - before) / seconds;
}

}  // namespace

std::string row_of(const AppendShape& shape) {
  return std::string(shape.threads > 1 ? "append2" : "append") +
         (shape.sync ? ".sync.b" : ".nosync.b") + std::to_string(shape.batch) +
         size_tag(shape.value_bytes);
}

void append_row(const AppendShape& shape, const Effort& effort, const RowSink& sink) {
  // Memory speed depends on whether the host has backed the pages that the page cache gets, so
  // unflushed rows are the best of three, as those they are compared with.
  const int passes = shape.sync ? 1 : 3;
  const Scratch scratch;
  double best = 0;
  for (int pass = 0; pass < passes; ++pass) {
    const std::string path = scratch / std::to_string(pass);
    best = std::max(best, append_pass(path, shape, effort));
    remove_tree(path);
  }
  sink("millrace/" + row_of(shape), best, "rec/s");
}

void sustained_row(std::size_t value_bytes, const Effort& effort, const RowSink& sink) {
  const AppendShape shape{.value_bytes = value_bytes, .batch = 100};
  const Scratch scratch;
  const std::string path = scratch / "sustained";
  const std::uint64_t most_records = 4 * effort.most_bytes() / value_bytes;
  TopicOptions options;
  options.flush = flush::by_os{};
  std::uint64_t count = 0;
  {
    const Store store = open_store(path, options);
    PayloadWriter writer(store.partition(0).handle(), value_bytes, shape.batch);
    const auto start = SteadyClock::now();
    fill(writer, shape, most_records, 60);
    sink("millrace/append.nosync.sustained" + size_tag(value_bytes),
         static_cast<double>(writer.count()) / seconds_since(start), "rec/s");
    count = writer.count();
    must(store.broker.close());
  }
  check_stored(path, shape, {count});
}

}  // namespace millrace::inline v0::cli::bench
