#include "bench_rows.hpp"
#include "bench_store.hpp"

#include <algorithm>

namespace millrace::inline v0::cli::bench {

void paced_rows(const Effort& effort, const RowSink& sink) {
  constexpr std::size_t value_bytes = 1024;
  constexpr double records_a_second = 100e6 / value_bytes;
  const double seconds = std::max(0.6, effort.seconds * 2);
  const Scratch scratch;
  TopicOptions options;
  options.flush = flush::every{.interval = std::chrono::milliseconds(10)};
  const Store store = open_store(scratch / "paced", options);
  PayloadWriter writer(store.partition(0).handle(), value_bytes, 1);
  for (int i = 0; i < 1000; ++i) writer.append();
  Latencies latencies;
  const std::uint64_t start = nanoseconds_now();
  const auto until = start + static_cast<std::uint64_t>(seconds * 1e9);
  for (std::uint64_t n = 0;; ++n) {
    const auto due =
        start + static_cast<std::uint64_t>(static_cast<double>(n) * 1e9 / records_a_second);
    std::uint64_t now = nanoseconds_now();
    while (now < due) now = nanoseconds_now();
    if (now >= until) break;
    writer.append();
    latencies.add(nanoseconds_now() - now);
  }
  const std::string row = "millrace/append.paced.";
  sink(row + "p50" + size_tag(value_bytes), latencies.at(0.5) / 1e3, "us");
  sink(row + "p99" + size_tag(value_bytes), latencies.at(0.99) / 1e3, "us");
  sink(row + "p99.9" + size_tag(value_bytes), latencies.at(0.999) / 1e3, "us");
  sink(row + "max" + size_tag(value_bytes), latencies.at(1) / 1e3, "us");
  must(store.broker.close());
}

}  // namespace millrace::inline v0::cli::bench
