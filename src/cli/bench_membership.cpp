#include <atomic>
#include <cstdio>
#include <memory>

#include "bench_child.hpp"
#include "bench_children.hpp"
#include "bench_rows.hpp"
#include "bench_store.hpp"

namespace millrace::inline v0::cli::bench {
namespace {

using Member = GroupConsumer<std::string_view, Bytes>;
using Group = ConsumerGroup<std::string_view, Bytes>;
using std::chrono::milliseconds;

constexpr int groups = 1000;
constexpr int members_each = 10;
constexpr PartitionId offsets_each = 1000;

Store store_on(const std::string& path, PartitionId partitions) {
  TopicOptions options;
  options.partitions = partitions;
  options.flush = flush::by_os{};
  return open_store(path, options);
}

double milliseconds_since(std::uint64_t start) {
  return static_cast<double>(nanoseconds_now() - start) / 1e6;
}

/// Polls until a record comes.
void await_record(Member& member) {
  while (must(member.poll(std::chrono::seconds(10))).empty()) {
  }
}

/// Polls members in turn until each has its share of two partitions.
void settle(Member& first, Member& second) {
  while (first.assignment().size() != 1 || second.assignment().size() != 1) {
    static_cast<void>(must(first.poll(milliseconds(0))));
    static_cast<void>(must(second.poll(milliseconds(0))));
  }
}

void join_row(const std::string& path, int times, const RowSink& sink) {
  const Store store = store_on(path, 1);
  PayloadWriter(store.partition(0).handle(), 100, 1).append();
  Latencies took;
  for (int i = 0; i <= times; ++i) {
    const Group group(store.topic, "g" + std::to_string(i));
    const std::uint64_t start = nanoseconds_now();
    Member member = must(group.join());
    await_record(member);
    // The first one makes __consumer_offsets.
    if (i > 0) took.add(nanoseconds_now() - start);
  }
  sink("millrace/group.join.p99/ms", took.at(0.99) / 1e6, "ms");
  must(store.broker.close());
}

/// How long after `gone(member)` the other one, which waits, has a record of the partition that was
/// the first one's.
template <typename Gone>
double take_over(const Store& store, const GroupOptions& options, int round, Gone gone) {
  const Group group(store.topic, "t" + std::to_string(round), options);
  auto first = std::make_unique<Member>(must(group.join()));
  Member second = must(group.join());
  settle(*first, second);
  // Only the first one's partition has records.
  const PartitionId lost = first->assignment()[0].partition;
  PayloadWriter(store.partition(lost).handle(), 100, 1).append();
  std::atomic<std::uint64_t> start{0};
  double took = 0;
  in_threads(2, [&](int i) {
    if (i == 0) {
      await_record(second);
      took = milliseconds_since(start.load());
      return;
    }
    std::this_thread::sleep_for(milliseconds(2));  // by now the other one waits
    start.store(nanoseconds_now());
    gone(*first);
  });
  if (!first->leave()) return took;  // one that was taken for dead has nothing to leave
  return took;
}

GroupOptions from_end() {
  GroupOptions options;
  options.consumer.auto_offset_reset = OffsetReset::latest;
  return options;
}

void take_over_rows(const std::string& path, const Effort& effort, const RowSink& sink) {
  const Store store = store_on(path, 2);
  Latencies left;
  const int times = effort.quick ? 30 : 100;
  for (int i = 0; i < times; ++i) {
    const double took =
        take_over(store, from_end(), i, [](Member& member) { must(member.leave()); });
    left.add(static_cast<std::uint64_t>(took * 1e6));
  }
  sink("millrace/group.takeover.leave.p99/ms", left.at(0.99) / 1e6, "ms");
  Latencies died;
  GroupOptions options = from_end();
  options.max_poll_interval = milliseconds(100);
  for (int i = 0; i < times / 3; ++i) {
    // It says that it lives for the last time, and is not heard of again.
    const double took = take_over(store, options, times + i, [](Member& member) {
      static_cast<void>(member.poll(milliseconds(0)));
    });
    died.add(static_cast<std::uint64_t>(std::max(0.0, took - 100) * 1e6));
  }
  sink("millrace/group.takeover.death.p99/ms", died.at(0.99) / 1e6, "ms");
  must(store.broker.close());
}

}  // namespace

int idle_groups(double seconds) {
  const Store store = store_on(":memory:", 10);
  std::vector<std::unique_ptr<Member>> members;
  const double before = resident_mebibytes();
  for (int g = 0; g < groups; ++g) {
    const Group group(store.topic, "g" + std::to_string(g));
    const std::size_t first = members.size();
    for (int m = 0; m < members_each; ++m) {
      members.push_back(std::make_unique<Member>(must(group.join())));
    }
    for (bool is_settled = false; !is_settled;) {
      is_settled = true;
      for (std::size_t m = first; m < members.size(); ++m) {
        static_cast<void>(must(members[m]->poll(milliseconds(0))));
        is_settled = is_settled && members[m]->assignment().size() == 1;
      }
    }
  }
  std::printf("%.6g\n", resident_mebibytes() - before);
  const double busy = processor_seconds();
  const auto start = SteadyClock::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  std::printf("%.6g\n", 100 * (processor_seconds() - busy) / seconds_since(start));
  std::fflush(stdout);
  return 0;
}

int commit_offsets(const std::string& path) {
  const Store store = store_on(path, offsets_each);
  const Groups all(store.broker);
  std::vector<OffsetMove> moves;
  for (PartitionId id = 0; id < offsets_each; ++id) moves.push_back({{"bench", id}, {}, Offset{0}});
  for (int g = 0; g < groups; ++g) must(all.reset("g" + std::to_string(g), moves));
  must(store.broker.close());
  return 0;
}

int load_offsets(const std::string& path) {
  const Broker broker = must(Broker::open(path));
  const std::uint64_t start = nanoseconds_now();
  if (must(Groups(broker).list()).size() != groups) fail("not all groups were loaded");
  std::printf("%.6g\n", milliseconds_since(start));
  std::fflush(stdout);
  must(broker.close());
  return 0;
}

void membership_rows(const Effort& effort, const RowSink& sink) {
  const Scratch scratch;
  join_row(scratch / "join", effort.quick ? 100 : 300, sink);
  take_over_rows(scratch / "takeover", effort, sink);
  {
    Child child({"idle-groups", effort.quick ? "1" : "5"});
    sink("millrace/group.idle.1000x10/rss", std::stod(child.read_line()), "MiB");
    sink("millrace/group.idle.1000x10/cpu", std::stod(child.read_line()), "%");
    child.wait();
  }
  const std::string path = scratch / "offsets";
  Child({"commit-offsets", path}).wait();
  Child child({"load-offsets", path});
  sink("millrace/group.load_1M_offsets/ms", std::stod(child.read_line()), "ms");
  child.wait();
}

}  // namespace millrace::inline v0::cli::bench
