#include <algorithm>
#include <atomic>

#include "bench_framed.hpp"
#include "bench_limits.hpp"
#include "bench_rows.hpp"
#include "bench_store.hpp"

namespace millrace::inline v0::cli::bench {
namespace {

constexpr std::size_t value_bytes = 1024;
constexpr auto flush_interval = std::chrono::milliseconds(10);

double seconds_of(const Effort& effort) {
  return std::max(0.6, effort.seconds * 2);
}

/// Calls `append` 100 MB/s often, and notes how long each call takes.
template <typename Append>
Latencies pace(double seconds, Append append) {
  constexpr double nanoseconds_a_record = 1e9 * value_bytes / 100e6;
  Latencies latencies;
  const std::uint64_t start = nanoseconds_now();
  const auto until = start + static_cast<std::uint64_t>(seconds * 1e9);
  for (std::uint64_t n = 0;; ++n) {
    const auto due =
        start + static_cast<std::uint64_t>(static_cast<double>(n) * nanoseconds_a_record);
    std::uint64_t now = nanoseconds_now();
    while (now < due) now = nanoseconds_now();
    if (now >= until) return latencies;
    append();
    latencies.add(nanoseconds_now() - now);
  }
}

void report(const std::string& who, Latencies& latencies, const RowSink& sink) {
  for (const auto& [name, share] :
       {std::pair{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1.0}}) {
    sink(who + "/append.paced." + name + size_tag(value_bytes), latencies.at(share) / 1e3, "us");
  }
}

}  // namespace

void paced_limits(const Effort& effort, const RowSink& sink) {
  const Scratch scratch;
  const WrittenFile file(scratch / "file", 64u << 10, true);
  std::atomic<std::size_t> stored{0};
  std::atomic<bool> over{false};
  in_threads(2, [&](int i) {
    if (i == 0) {
      const Payload payload(value_bytes);
      std::byte value[value_bytes];
      std::uint64_t n = 0;
      std::size_t at = 0;
      Latencies latencies = pace(seconds_of(effort), [&] {
        if (at + header_bytes + value_bytes > file_bytes) at = 0;
        payload.make(value, n, value_bytes);
        at += frame(file.data() + at, value, value_bytes, n++);
        stored.store(at, std::memory_order_release);
      });
      over = true;
      report("limit", latencies, sink);
      return;
    }
    for (std::size_t from = 0; !over; std::this_thread::sleep_for(flush_interval)) {
      const std::size_t to = stored.load(std::memory_order_acquire);
      if (to < from) from = 0;
      if (to > from) file.sync_map(from, to);
      from = to;
    }
  });
}

void paced_rows(const Effort& effort, const RowSink& sink) {
  const Scratch scratch;
  TopicOptions options;
  options.flush = flush::every{.interval = flush_interval};
  const Store store = open_store(scratch / "paced", options);
  PayloadWriter writer(store.partition(0).handle(), value_bytes, 1);
  for (int i = 0; i < 1000; ++i) writer.append();
  Latencies latencies = pace(seconds_of(effort), [&] { writer.append(); });
  report("millrace", latencies, sink);
  must(store.broker.close());
}

}  // namespace millrace::inline v0::cli::bench
