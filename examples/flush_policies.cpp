// When are records durable, and what does an acknowledgement stand for? Three policies come with
// the library; the fourth here is our own. For each, 1000 records are appended and the syncs that
// the store asks the kernel for are counted.
#include <atomic>
#include <millrace/millrace.hpp>
#include <millrace/testing/faulty_io.hpp>

#include "example.hpp"

using example::check;
using namespace std::chrono_literals;

namespace {

/// Flushes when `limit` records wait; the limit can be changed while the topic is open, say when a
/// battery runs low. Any copyable type with these three members is a flush policy.
struct AdjustableLimit {
  std::shared_ptr<std::atomic<std::int64_t>> limit;

  // False: acknowledge, and show to readers, what is written but not yet durable.
  bool acks_after_flush() const noexcept { return false; }
  // Asked after every append: flush now, on the appender's thread?
  bool is_due(const millrace::flush::Progress& progress) const noexcept {
    return progress.unflushed_records >= limit->load();
  }
  // At the latest so long after an append, on the broker's background thread.
  std::optional<std::chrono::nanoseconds> max_delay() const noexcept { return 10s; }
};
static_assert(millrace::FlushPolicy<AdjustableLimit>);

struct Observed {
  millrace::Durability durability;
  std::uint64_t syncs;
};

Observed append_1000(const millrace::Broker& broker, const char* topic, millrace::flush::Any policy,
                     const millrace::testing::FaultyIo& io) {
  const auto typed = broker.topic<int, int>(topic, {.flush = std::move(policy)}).value();
  const auto partition = typed.partition(0).value();
  const auto count = [&] {
    return io.calls(millrace::os::IoOp::sync_data) + io.calls(millrace::os::IoOp::sync_range);
  };
  const std::uint64_t before = count();
  millrace::Receipt receipt;
  for (int i = 0; i < 1000; ++i) receipt = partition.append(i).value();
  return {receipt.durability, count() - before};
}

void report(const char* name, const Observed& observed, const char* survives) {
  const bool flushed = observed.durability == millrace::Durability::flushed;
  std::printf("%-28s ack: %-8s syncs: %5llu  %s\n", name, flushed ? "flushed" : "written",
              static_cast<unsigned long long>(observed.syncs), survives);
}

}  // namespace

int main(int argc, char** argv) {
  using millrace::Durability;
  namespace flush = millrace::flush;
  const example::DataDirectory data(argc, argv);
  millrace::testing::FaultyIo io;  // no fault set: it only counts system calls
  const auto broker = millrace::Broker::open(data.path(), {.io_hooks = &io}).value();

  const auto before_ack = append_1000(broker, "payments", flush::before_ack{}, io);
  report("before_ack (the default)", before_ack, "an acknowledged record survives a power loss");
  check(before_ack.durability == Durability::flushed, "before_ack acknowledges what is flushed");
  check(before_ack.syncs >= 1000, "one appender waits for one sync a record; many share them");

  const auto every =
      append_1000(broker, "clicks", flush::every{.records = 100, .interval = 1h}, io);
  report("every 100 records", every, "a power loss takes at most the last 100");
  check(every.durability == Durability::written, "every acknowledges what is written");
  check(every.syncs >= 10 && every.syncs < 100, "1000 records make ten syncs");

  const auto by_os = append_1000(broker, "traces", flush::by_os{}, io);
  report("by_os (Kafka's default)", by_os, "a killed process loses nothing, a power loss seconds");
  check(by_os.durability == Durability::written && by_os.syncs < 10, "by_os syncs no records");

  const auto limit = std::make_shared<std::atomic<std::int64_t>>(500);
  const auto relaxed = append_1000(broker, "sensors", AdjustableLimit{limit}, io);
  report("our own, limit 500", relaxed, "a power loss takes at most the last 500");
  check(relaxed.syncs >= 2 && relaxed.syncs < 10, "1000 records make two syncs");
  *limit = 50;
  const auto careful = append_1000(broker, "sensors", AdjustableLimit{limit}, io);
  report("our own, limit now 50", careful, "a power loss takes at most the last 50");
  check(careful.syncs >= 20 && careful.syncs < 100, "1000 records make twenty syncs");

  // Whatever the policy, a partition can be told to flush now.
  const auto traces = broker.topic<int, int>("traces").value();
  check(traces.partition(0)->flush().has_value(), "flush() makes everything durable at once");
  broker.close().value();
  return 0;
}
