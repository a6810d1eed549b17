#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <millrace/millrace.hpp>
#include <random>
#include <utility>

#include "campaign.hpp"
#include "catch.hpp"
#include "child_process.hpp"
#include "temp_directory.hpp"

// One writer that is killed again and again, two tailers in other processes that never are. Record
// number n has the value n, so everybody can check what is seen without asking anybody.

using millrace::Broker;
using millrace::Offset;
using millrace::test::ChildProcess;
using millrace::test::TempDirectory;
using namespace std::chrono_literals;

namespace {

constexpr const char* stop_text = "stop";

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) std::abort();
    from = ends[0];
    to = ends[1];
  }
  ~Pipe() {
    close_to();
    ::close(from);
  }
  void close_to() {
    if (to >= 0) ::close(std::exchange(to, -1));
  }
  int from = -1;
  int to = -1;
};

int write_until_killed(const std::string& path, millrace::flush::Any policy, int report,
                       std::int64_t stop_after) {
  const auto broker = Broker::open(path).value();
  const auto topic = broker.topic<std::string, std::string>("t", {.flush = policy}).value();
  const auto partition = topic.partition(0).value();
  std::int64_t next = partition.offsets().end.value();
  // What the last writer had acknowledged must be there: the parent checks where we begin.
  if (::write(report, &next, sizeof next) != sizeof next) return 1;
  for (; stop_after < 0 || stop_after-- > 0; ++next) {
    const auto receipt = partition.append("k", std::to_string(next));
    if (!receipt || receipt->offset != Offset{next}) return 1;
    if (::write(report, &next, sizeof next) != sizeof next) return 1;
  }
  partition.append("k", stop_text).value();
  return broker.close() ? 0 : 1;
}

int tail(const std::string& path) {
  const auto broker = Broker::attach(path).value();
  const auto topic = broker.topic<std::string, std::string>("t").value();
  millrace::Consumer consumer{topic};
  for (std::int64_t next = 0;;) {
    auto records = consumer.poll(1h);
    if (!records) {
      std::fprintf(stderr, "tailer at %lld: %s\n", static_cast<long long>(next),
                   records.error().message().c_str());
      return 1;
    }
    for (const auto& record : *records) {
      const std::string value = record.value();
      if (value == stop_text) return 0;
      if (record.offset() != Offset{next} || value != std::to_string(next)) {
        std::fprintf(stderr, "tailer at %lld got offset %lld with %s\n",
                     static_cast<long long>(next), static_cast<long long>(record.offset().value()),
                     value.c_str());
        return 1;
      }
      ++next;
    }
  }
}

/// Reads reports until `count` acknowledgements came, kills the writer, and reads what is left.
/// Returns the offset after the last acknowledged record, and sets where the writer began.
std::int64_t run_round(const std::string& path, millrace::flush::Any policy, int count,
                       std::int64_t& begin) {
  Pipe pipe;
  ChildProcess writer([&] { return write_until_killed(path, policy, pipe.to, -1); });
  pipe.close_to();
  std::int64_t acknowledged = -1;
  std::int64_t report = -1;
  bool first = true;
  int seen = 0;
  bool killed = false;
  while (::read(pipe.from, &report, sizeof report) == sizeof report) {
    if (std::exchange(first, false)) {
      begin = report;
      acknowledged = report - 1;
      continue;
    }
    acknowledged = report;
    if (++seen >= count && !std::exchange(killed, true)) writer.kill();
  }
  return acknowledged + 1;
}

void campaign(millrace::flush::Any policy) {
  const TempDirectory temp;
  { Broker::open(temp.path()).value().create_topic("t", {.flush = policy}).value(); }
  const int rounds = static_cast<int>(millrace_test::campaign_rounds(25, 500));
  const auto seed = millrace_test::campaign_seed(static_cast<std::uint64_t>(::getpid()));
  INFO("seed " << seed << ", " << rounds << " rounds");
  std::mt19937_64 random(seed);
  ChildProcess first_tailer([&] { return tail(temp.path()); });
  ChildProcess second_tailer([&] { return tail(temp.path()); });
  std::int64_t end = 0;
  for (int round = 0; round < rounds; ++round) {
    std::int64_t begin = -1;
    const std::int64_t next =
        run_round(temp.path(), policy, 1 + static_cast<int>(random() % 60), begin);
    // A record may have become durable whose acknowledgement was cut off: at most one.
    REQUIRE(begin >= end);
    REQUIRE(begin <= end + 1);
    end = next;
  }
  Pipe pipe;
  ChildProcess last([&] { return write_until_killed(temp.path(), policy, pipe.to, 10); });
  CHECK(last.wait() == 0);
  CHECK(first_tailer.wait() == 0);
  CHECK(second_tailer.wait() == 0);
}

}  // namespace

TEST_CASE(
    "killed writers lose nothing they acknowledged as flushed; tailers see every record once") {
  campaign(millrace::flush::before_ack{});
}

TEST_CASE("killed writers lose nothing they acknowledged as written") {
  campaign(millrace::flush::by_os{});
}
