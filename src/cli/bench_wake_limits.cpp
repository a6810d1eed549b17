#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <millrace/os/wait_word.hpp>
#include <new>

#include "bench_limits.hpp"

namespace millrace::inline v0::cli::bench {
namespace {

constexpr std::uint32_t last = ~0u;
constexpr std::uint64_t asleep_after = 150'000;

/// Two words on lines of their own, and when the first was set.
struct Table {
  alignas(64) std::atomic<std::uint32_t> there{0};
  std::atomic<std::uint64_t> sent_at{0};
  alignas(64) std::atomic<std::uint32_t> back{0};
  alignas(64) std::atomic<std::uint64_t> one_way_median{0};
};

class SharedTable {
 public:
  SharedTable() {
    void* at =
        ::mmap(nullptr, sizeof(Table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) fail("cannot map shared memory");
    table_ = new (at) Table();
  }
  SharedTable(const SharedTable&) = delete;
  SharedTable& operator=(const SharedTable&) = delete;
  ~SharedTable() { ::munmap(table_, sizeof(Table)); }
  Table& operator*() const { return *table_; }

 private:
  Table* table_;
};

std::uint32_t next_value(std::atomic<std::uint32_t>& word, std::uint32_t before, bool sleep) {
  for (;;) {
    const std::uint32_t now = word.load(std::memory_order_acquire);
    if (now != before) return now;
    if (sleep) os::wait_on(word, before);
    if (!sleep) os::spin_pause();
  }
}

void set(std::atomic<std::uint32_t>& word, std::uint32_t value, bool wake) {
  word.store(value, std::memory_order_release);
  if (wake) os::wake_all(word);
}

/// `sleep`: waits in the kernel. `wake`: the other side does.
void answer(Table& table, bool sleep, bool wake) {
  const Pin pin(1);
  Latencies one_way;
  for (std::uint32_t seen = 0; seen != last;) {
    seen = next_value(table.there, seen, sleep);
    one_way.add(nanoseconds_now() - table.sent_at.load());
    set(table.back, seen, wake);
  }
  table.one_way_median = static_cast<std::uint64_t>(one_way.at(0.5));
}

double serve(Table& table, bool sleep, bool wake, bool pause, double seconds) {
  const Pin pin(0);
  Latencies round_trips;
  std::uint32_t seen = 0;
  const auto start = SteadyClock::now();
  const auto once = [&](std::uint32_t number) {
    for (const std::uint64_t until = nanoseconds_now() + (pause ? asleep_after : 0);
         nanoseconds_now() < until;) {
    }
    const std::uint64_t sent_at = nanoseconds_now();
    table.sent_at = sent_at;
    set(table.there, number, wake);
    seen = next_value(table.back, seen, sleep);
    round_trips.add(nanoseconds_now() - sent_at);
  };
  for (std::uint32_t number = 1; number < 200 || seconds_since(start) < seconds; ++number) {
    once(number);
  }
  once(last);
  return round_trips.at(0.5) / 2 / 1e3;
}

void blocked_thread(double seconds, const RowSink& sink) {
  const SharedTable shared;
  in_threads(2, [&](int side) {
    if (side == 0) serve(*shared, false, true, true, seconds);
    if (side == 1) answer(*shared, true, false);
  });
  sink("limit/wake.thread.blocked/100B", static_cast<double>((*shared).one_way_median.load()) / 1e3,
       "us");
}

void other_process(bool blocked, double seconds, const RowSink& sink) {
  const SharedTable shared;
  const pid_t child = ::fork();
  if (child < 0) fail("cannot fork");
  if (child == 0) {
    answer(*shared, blocked, false);
    ::_exit(0);
  }
  const double half_trip = serve(*shared, false, blocked, blocked, seconds);
  int status = 0;
  ::waitpid(child, &status, 0);
  const double one_way = static_cast<double>((*shared).one_way_median.load()) / 1e3;
  sink(blocked ? "limit/wake.process.blocked/100B" : "limit/wake.process.spin/100B",
       blocked ? one_way : half_trip, "us");
}

}  // namespace

void wake_limits(const Effort& effort, const RowSink& sink) {
  const double seconds = effort.seconds / 2;
  blocked_thread(seconds, sink);
  {
    const SharedTable shared;
    double half_trip = 0;
    in_threads(2, [&](int side) {
      if (side == 0) half_trip = serve(*shared, true, true, false, seconds);
      if (side == 1) answer(*shared, true, true);
    });
    sink("limit/wake.thread.pingpong/100B", half_trip, "us");
  }
  other_process(true, seconds, sink);
  other_process(false, seconds, sink);
}

}  // namespace millrace::inline v0::cli::bench
