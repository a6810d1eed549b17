#include <unistd.h>

#include <cstdlib>
#include <map>
#include <millrace/millrace.hpp>
#include <random>
#include <thread>

#include "campaign.hpp"
#include "catch.hpp"
#include "child_process.hpp"
#include "temp_directory.hpp"

// A process that sends records for a moment later, so that it delivers all the time, killed again
// and again. What it was told goes through a pipe; what is seen in the end is held against that.

using namespace millrace;
using millrace::test::ChildProcess;
using millrace::test::TempDirectory;
using namespace std::chrono_literals;
using Text = Topic<std::string, std::string>;

namespace {

Text open_topic(const Broker& broker, const flush::Any& policy) {
  return broker
      .topic<std::string, std::string>(
          "t", {.partitions = 2,
                .flush = policy,
                .settings = {{"millrace.delayed.delivery", "true"}, {"segment.bytes", "16384"}}})
      .value();
}

/// Sends until it is killed, and writes the number of each record that was acknowledged.
int work(const std::string& path, const flush::Any& policy, std::uint32_t first, int report) {
  const auto broker = Broker::open(path).value();
  const auto topic = open_topic(broker, policy);
  Producer producer{topic};
  std::mt19937_64 random(first);
  for (std::uint32_t number = first;; ++number) {
    const DeliverAt at(system_clock().now() + std::chrono::milliseconds(random() % 8));
    const std::string text = std::to_string(number);
    const auto sent = producer.send_with({.headers = at.headers()}, &text, &text);
    if (!sent.get() || ::write(report, &number, sizeof number) != sizeof number) return 1;
  }
}

/// The numbers that were acknowledged before the process was killed.
void run_and_kill(const std::string& path, const flush::Any& policy, std::uint32_t first,
                  std::size_t count, std::map<std::string, int>& acknowledged) {
  int ends[2] = {-1, -1};
  if (::pipe(ends) != 0) std::abort();
  ChildProcess child([&] { return work(path, policy, first, ends[1]); });
  ::close(ends[1]);
  std::uint32_t number = 0;
  const auto read_one = [&] {
    if (::read(ends[0], &number, sizeof number) != sizeof number) return false;
    acknowledged.emplace(std::to_string(number), 0);
    return true;
  };
  for (std::size_t i = 0; i < count && read_one(); ++i) {
  }
  child.kill();
  while (read_one()) {
  }
  ::close(ends[0]);
}

void campaign(const flush::Any& policy) {
  const TempDirectory temp;
  const auto rounds = static_cast<std::uint32_t>(millrace_test::campaign_rounds(25, 500));
  const auto seed = millrace_test::campaign_seed(static_cast<std::uint64_t>(::getpid()));
  INFO("seed " << seed << ", " << rounds << " rounds");
  std::mt19937_64 random(seed);
  std::map<std::string, int> times;
  for (std::uint32_t round = 0; round < rounds; ++round) {
    run_and_kill(temp.path(), policy, 1'000'000 * (round + 1), 1 + random() % 60, times);
  }
  CHECK(times.size() > rounds);
  const auto acknowledged = times.size();
  const auto broker = Broker::open(temp.path()).value();
  const auto topic = open_topic(broker, policy);
  Consumer consumer{topic};
  std::size_t seen = 0;
  // What was not acknowledged may be there all the same; all of it was due long ago.
  while (seen < acknowledged) {
    auto records = consumer.poll(10s).value();
    REQUIRE_FALSE(records.empty());
    for (const auto& record : records) seen += ++times[record.value()] == 1 ? 1 : 0;
  }
  broker.close().value();
  const auto again = Broker::open(temp.path()).value();
  std::map<std::string, int> all;
  Consumer second{open_topic(again, policy)};
  for (bool any = true; any;) {
    auto records = second.poll(200ms).value();
    any = !records.empty();
    for (const auto& record : records) ++all[record.value()];
  }
  for (const auto& [number, ignored] : times) all.try_emplace(number, 0);
  for (const auto& [number, count] : all) {
    INFO("record " << number);
    CHECK(count == 1);
  }
}

}  // namespace

TEST_CASE("killed while records are delivered, none is lost and none comes twice",
          "[kill_delayed]") {
  campaign(flush::before_ack{});
}

TEST_CASE("so it is with a topic that leaves flushing to the system", "[kill_delayed]") {
  campaign(flush::by_os{});
}
