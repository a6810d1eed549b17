#include <millrace/millrace.hpp>
#include <mutex>
#include <set>
#include <thread>

#include "catch.hpp"
#include "group_fixture.hpp"

using namespace millrace;
using namespace std::chrono_literals;
using namespace millrace_test;

namespace {

using Line = Record<std::string, std::string>;

TextTopic fill(const Broker& broker, int records) {
  auto topic = broker.topic<std::string, std::string>("t", {.partitions = 4}).value();
  Producer producer{topic, {.partitioner = partitioner::round_robin()}};
  for (int i = 0; i < records; ++i) producer.send("k", std::to_string(i));
  producer.flush().value();
  return topic;
}

std::int64_t committed(const Broker& broker, const std::string& group) {
  std::int64_t sum = 0;
  for (const auto& progress : Groups{broker}.describe(group).value().progress) {
    if (progress.committed) sum += progress.committed->offset.value();
  }
  return sum;
}

}  // namespace

TEST_CASE("A group runs on several threads until it is stopped, and commits", "[group_run]") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = fill(broker, 1000);
  GroupOptions options;
  if (GENERATE(true, false)) options.auto_commit_interval.reset();
  const TextGroup group{topic, "g", options};
  std::stop_source stop;
  std::mutex mutex;
  std::multiset<std::string> seen;
  std::set<std::thread::id> threads;
  REQUIRE(group.run(
      3,
      [&](const Line& record) {
        const std::lock_guard lock(mutex);
        seen.insert(record.value());
        threads.insert(std::this_thread::get_id());
        if (seen.size() == 1000) stop.request_stop();
      },
      stop.get_token()));
  CHECK(seen.size() == 1000);
  CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == 1000);
  CHECK(committed(broker, "g") == 1000);
  CHECK(Groups{broker}.list().value()[0].members == 0);
}

TEST_CASE("A run that is stopped finishes the record at hand and commits it", "[group_run]") {
  const auto broker = Broker::open(":memory:").value();
  const TextGroup group{fill(broker, 1000), "g"};
  std::stop_source stop;
  int handled = 0;
  REQUIRE(group.run(
      1,
      [&](const Line&) {
        if (++handled == 123) stop.request_stop();
      },
      stop.get_token()));
  CHECK(handled == 123);
  CHECK(committed(broker, "g") == 123);
}

TEST_CASE("What a handler fails at comes again, with what is behind it", "[group_run]") {
  const auto broker = Broker::open(":memory:").value();
  const TextGroup group{fill(broker, 1000), "g"};
  std::atomic<int> handled = 0;
  std::atomic<bool> has_failed = false;
  std::mutex mutex;
  std::set<std::string> done;
  const auto handler = [&](const Line& record) -> Result<void> {
    if (++handled == 100 && !has_failed.exchange(true)) {
      return Error(Errc::serialization, "the order has no number");
    }
    const std::lock_guard lock(mutex);
    CHECK(done.insert(record.value()).second);  // nothing that was done comes again
    return {};
  };
  const auto failed = group.run(2, handler);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message() == "the order has no number");
  CHECK(committed(broker, "g") == static_cast<std::int64_t>(done.size()));

  std::stop_source stop;
  REQUIRE(group.run(
      2,
      [&](const Line& record) {
        static_cast<void>(handler(record));
        const std::lock_guard lock(mutex);
        if (done.size() == 1000) stop.request_stop();
      },
      stop.get_token()));
  CHECK(done.size() == 1000);
  CHECK(committed(broker, "g") == 1000);
}

TEST_CASE("Who joins again has committed what it keeps", "[group_run]") {
  const auto broker = Broker::open(":memory:").value();
  const TextGroup group{fill(broker, 0), "g", {.auto_commit_interval = std::chrono::hours(1)}};
  auto first = group.join().value();
  auto second = group.join().value();
  const auto read = [](auto& member) {
    int count = 0;
    const auto records = member.poll(std::chrono::seconds(0)).value();
    for (auto at = records.begin(); at != records.end(); ++at) ++count;
    return count;
  };
  while (first.assignment().size() != 2 || second.assignment().size() != 2) {
    REQUIRE(read(first) + read(second) == 0);
  }
  fill(broker, 1000);
  int by_first = 0;
  while (by_first < 500) by_first += read(first);
  CHECK(committed(broker, "g") == 0);
  const auto third = group.join().value();
  // The second one has not joined again, so nobody has been told yet what it keeps.
  CHECK(read(first) == 0);
  CHECK(committed(broker, "g") == 500);
}

TEST_CASE("A run that cannot begin says why", "[group_run]") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = fill(broker, 10);
  const auto ignore = [](const Line&) {};
  CHECK(TextGroup(topic, "g").run(0, ignore).error().message() ==
        "running a group with 0 threads: it takes at least one");
  CHECK(TextGroup(topic, "").run(2, ignore).error().code() == Errc::invalid_argument);
  std::stop_source stop;
  stop.request_stop();
  CHECK(TextGroup(topic, "g").run(2, ignore, stop.get_token()));
}

TEST_CASE("Threads of a static group are members of their own", "[group_run]") {
  const auto broker = Broker::open(":memory:").value();
  GroupOptions options;
  options.instance_id = "worker";
  const TextGroup group{fill(broker, 100), "g", options};
  std::stop_source stop;
  std::atomic<int> handled = 0;
  REQUIRE(group.run(
      2,
      [&](const Line&) {
        if (++handled < 100) return;
        while (Groups{broker}.list().value()[0].members < 2) std::this_thread::yield();
        stop.request_stop();
      },
      stop.get_token()));
  std::set<std::string> instances;
  for (const auto& member : Groups{broker}.describe("g").value().members) {
    instances.insert(*member.instance_id);
  }
  CHECK(instances == std::set<std::string>{"worker-0", "worker-1"});
}
