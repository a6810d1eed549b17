#include <cstdio>
#include <memory>
#include <numeric>
#include <thread>

#include "bench_child.hpp"
#include "bench_children.hpp"
#include "bench_rows.hpp"
#include "bench_store.hpp"

namespace millrace::inline v0::cli::bench {
namespace {

constexpr int many_partitions = 1000;
constexpr int consumers = 10;
constexpr std::size_t value_bytes = 100;

void memory_row(const RowSink& sink) {
  Latencies took;
  for (int i = 0; i < 51; ++i) {
    const std::uint64_t start = nanoseconds_now();
    const Broker broker = must(Broker::open(":memory:"));
    took.add(nanoseconds_now() - start);
  }
  sink("millrace/open.memory/us", took.at(0.5) / 1e3, "us");
}

/// The share of a processor that waiting consumers take, in percent.
double idle_share(const BytesTopic& topic, double seconds) {
  std::vector<std::unique_ptr<Consumer<std::string_view, Bytes>>> waiting;
  for (int c = 0; c < consumers; ++c) {
    auto& consumer = waiting.emplace_back(std::make_unique<Consumer<std::string_view, Bytes>>(
        topic, ConsumerOptions{.auto_offset_reset = OffsetReset::latest}));
    std::vector<PartitionId> ids(many_partitions / consumers);
    std::iota(ids.begin(), ids.end(), c * many_partitions / consumers);
    must(consumer->assign(ids));
  }
  double share = 0;
  in_threads(consumers + 1, [&](int i) {
    if (i > 0) {
      static_cast<void>(
          must(waiting[static_cast<std::size_t>(i) - 1]->poll(std::chrono::hours(1))));
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    const double before = processor_seconds();
    const auto start = SteadyClock::now();
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    share = 100 * (processor_seconds() - before) / seconds_since(start);
    for (auto& consumer : waiting) consumer->interrupt();
  });
  return share;
}

struct Opened {
  double milliseconds = 0;
  double mebibytes = 0;
};

Opened open_in_child(const std::string& path) {
  Child child({"open", path, "0"});
  Opened opened;
  opened.milliseconds = std::stod(child.read_line());
  opened.mebibytes = std::stod(child.read_line());
  child.wait();
  return opened;
}

void partitions_rows(const std::string& path, const std::string& suffix, int times,
                     const RowSink& sink) {
  Latencies nanoseconds;
  double mebibytes = 0;
  for (int i = 0; i < times; ++i) {
    const Opened opened = open_in_child(path);
    nanoseconds.add(static_cast<std::uint64_t>(opened.milliseconds * 1e6));
    mebibytes = opened.mebibytes;
  }
  sink("millrace/open.1000_partitions" + suffix + "/ms", nanoseconds.at(0.5) / 1e6, "ms");
  sink("millrace/open.1000_partitions" + suffix + "/rss", mebibytes, "MiB");
}

}  // namespace

int make_partitions(const std::string& path, int partitions, bool die) {
  TopicOptions options;
  options.partitions = partitions;
  options.flush = flush::by_os{};
  const Store store = open_store(path, options);
  for (PartitionId id = 0; id < partitions; ++id) {
    PayloadWriter(store.partition(id).handle(), value_bytes, 1).append();
  }
  std::printf("made\n");
  std::fflush(stdout);
  if (die) std::getchar();
  must(store.broker.close());
  return 0;
}

int open_and_idle(const std::string& path, double idle_seconds) {
  const auto start = SteadyClock::now();
  const Broker broker = must(Broker::open(path));
  std::printf("%.6g\n", seconds_since(start) * 1e3);
  std::printf("%.6g\n", resident_mebibytes());
  std::fflush(stdout);
  if (idle_seconds > 0) {
    const auto topic = must(broker.topic<std::string_view, Bytes>("bench"));
    std::printf("%.6g\n", idle_share(topic, idle_seconds));
  }
  must(broker.close());
  return 0;
}

void open_rows(const Effort& effort, const RowSink& sink) {
  memory_row(sink);
  const Scratch scratch;
  const std::string path = scratch / "many";
  const std::string count = std::to_string(many_partitions);
  Child({"partitions", path, count, "close"}).wait();
  partitions_rows(path, "", 3, sink);
  {
    Child child({"open", path, effort.quick ? "1" : "3"});
    static_cast<void>(child.read_line());
    static_cast<void>(child.read_line());
    sink("millrace/idle.1000_partitions/cpu", std::stod(child.read_line()), "%");
    child.wait();
  }
  const std::string killed = scratch / "killed";
  {
    Child child({"partitions", killed, count, "die"});
    static_cast<void>(child.read_line());
    child.kill();
  }
  partitions_rows(killed, "_after_kill9", 1, sink);
}

}  // namespace millrace::inline v0::cli::bench
