#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <millrace/millrace.hpp>
#include <random>
#include <set>
#include <thread>
#include <utility>

#include "campaign.hpp"
#include "catch.hpp"
#include "child_process.hpp"
#include "temp_directory.hpp"

// A process whose threads join a group, read, commit and leave all the time is killed again and
// again. It tells what it does by a pipe; who reads that checks what the next process finds.

using namespace millrace;
using namespace std::chrono_literals;
using millrace::test::ChildProcess;
using millrace::test::TempDirectory;

namespace {

constexpr PartitionId partitions = 4;
constexpr std::int64_t records_each = 4000;
constexpr int threads = 3;

/// What a member did: handled a record before it committed, or committed, which had returned.
struct Report {
  enum Kind : std::int32_t { handled, committed } kind;
  PartitionId partition;
  std::int64_t offset;
};

/// What was told, and whether what is found afterwards fits it.
class History {
 public:
  void add(const Report& report) {
    if (report.kind == Report::handled) {
      handled_[report.partition].insert(report.offset);
    } else {
      auto& offset = committed_[report.partition];
      offset = std::max(offset, report.offset);
    }
  }

  /// What a process that opens the directory finds committed; a problem, or nothing.
  std::string find(PartitionId partition, std::int64_t offset) {
    const std::string name = "partition " + std::to_string(partition) + ": ";
    if (offset < committed_[partition]) {
      return name + std::to_string(offset) + " is committed, but " +
             std::to_string(committed_[partition]) + " had been";
    }
    committed_[partition] = offset;
    const auto& handled = handled_[partition];
    for (std::int64_t record = 0; record < offset; ++record) {
      if (handled.contains(record)) continue;
      return name + std::to_string(record) + " was lost: " + std::to_string(offset) +
             " is committed, and nobody had it";
    }
    return {};
  }
  std::size_t handled(PartitionId partition) { return handled_[partition].size(); }

 private:
  std::map<PartitionId, std::set<std::int64_t>> handled_;
  std::map<PartitionId, std::int64_t> committed_;
};

using Lines = Topic<std::string, std::string>;
using Member = GroupConsumer<std::string, std::string>;

bool tell(int pipe, const Report& report) {
  return ::write(pipe, &report, sizeof report) == sizeof report;
}

/// One membership: some polls, each followed by a commit. False if something is wrong.
bool take_part(Member& member, int polls, int pipe) {
  for (int i = 0; i < polls; ++i) {
    auto records = member.poll(1ms);
    if (!records) return false;
    for (const auto& record : *records) {
      if (record.value() != std::to_string(record.offset().value())) return false;
      if (!tell(pipe, {Report::handled, record.partition(), record.offset().value()})) return false;
    }
    std::map<PartitionId, std::int64_t> positions;
    for (const TopicPartition& partition : member.assignment()) {
      positions[partition.partition] = member.position(partition).value().value();
    }
    if (!member.commit()) continue;  // the group is being rebalanced: it is read again
    for (const auto& [partition, offset] : positions) {
      if (!tell(pipe, {Report::committed, partition, offset})) return false;
    }
  }
  return true;
}

std::int64_t lag_of(const Broker& broker) {
  const auto described = Groups{broker}.describe("g");
  std::int64_t lag = partitions * records_each;
  if (!described) return lag;
  for (const auto& progress : described->progress) {
    if (progress.committed) lag -= progress.committed->offset.value();
  }
  return lag;
}

/// Threads that come and go until all is read, or for ever.
int run_until_killed(const std::string& path, std::uint64_t seed, int pipe, bool to_the_end) {
  const auto broker = Broker::open(path).value();
  GroupOptions options;
  options.auto_commit_interval.reset();
  options.consumer.max_records = 20;
  const ConsumerGroup<std::string, std::string> group{broker, Subscription::pattern("t"), "g",
                                                      options};
  std::atomic<int> failures = 0;
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      std::mt19937_64 random(seed + static_cast<std::uint64_t>(t));
      while (failures == 0 && (!to_the_end || lag_of(broker) > 0)) {
        auto member = group.join();
        if (!member || !take_part(*member, 1 + static_cast<int>(random() % 12), pipe)) ++failures;
        if (member && !member->leave()) ++failures;
      }
    });
  }
  for (auto& worker : workers) worker.join();
  return failures == 0 && broker.close() ? 0 : 1;
}

void fill(const std::string& path) {
  const auto broker = Broker::open(path).value();
  const auto topic =
      broker.topic<std::string, std::string>("t", {.partitions = partitions}).value();
  for (PartitionId id = 0; id < partitions; ++id) {
    record::BatchBuilder batch;
    for (std::int64_t i = 0; i < records_each; ++i) {
      const std::string value = std::to_string(i);
      batch.add(Timestamp{1}, std::nullopt, as_bytes(value)).value();
      if (i % 100 == 99) topic.partition(id).value().handle().append(batch).value();
    }
  }
  broker.close().value();
}

/// Reads what the child tells, and kills it after `count` reports if that is not 0.
void listen(int pipe, ChildProcess& child, int count, History& history) {
  Report report{};
  int seen = 0;
  while (::read(pipe, &report, sizeof report) == sizeof report) {
    history.add(report);
    if (++seen == count) child.kill();
  }
}

void check(const std::string& path, History& history) {
  const auto broker = Broker::open(path).value();
  const auto described = Groups{broker}.describe("g");
  if (!described) return;  // killed before anybody had joined
  for (const auto& progress : described->progress) {
    if (!progress.committed) continue;
    CHECK(history.find(progress.partition.partition, progress.committed->offset.value()).empty());
  }
  CHECK(described->members.empty());
}

}  // namespace

TEST_CASE("a group that is killed while it rebalances loses nothing it committed, and no record") {
  const TempDirectory temp;
  fill(temp.path());
  const int rounds = static_cast<int>(millrace_test::campaign_rounds(12, 300));
  const auto seed = millrace_test::campaign_seed(static_cast<std::uint64_t>(::getpid()));
  INFO("seed " << seed << ", " << rounds << " rounds");
  std::mt19937_64 random(seed);
  History history;
  for (int round = 0; round <= rounds; ++round) {
    const bool is_last = round == rounds;
    int ends[2] = {-1, -1};
    REQUIRE(::pipe(ends) == 0);
    ChildProcess child([&] {
      ::close(ends[0]);
      return run_until_killed(temp.path(), random(), ends[1], is_last);
    });
    ::close(ends[1]);
    listen(ends[0], child, is_last ? 0 : 1 + static_cast<int>(random() % 400), history);
    ::close(ends[0]);
    if (is_last) REQUIRE(child.wait() == 0);
    check(temp.path(), history);
  }
  for (PartitionId id = 0; id < partitions; ++id) {
    CHECK(history.handled(id) == static_cast<std::size_t>(records_each));
  }
}

TEST_CASE("the check of a killed group finds what it is for") {
  History history;
  for (std::int64_t offset : {0, 1, 3}) history.add({Report::handled, 0, offset});
  history.add({Report::committed, 0, 2});
  CHECK(history.find(0, 2).empty());
  CHECK(history.find(0, 1) == "partition 0: 1 is committed, but 2 had been");
  CHECK(history.find(0, 4) == "partition 0: 2 was lost: 4 is committed, and nobody had it");
}
