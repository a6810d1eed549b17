#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <millrace/millrace.hpp>
#include <random>
#include <sstream>
#include <thread>
#include <utility>

#include "campaign.hpp"
#include "catch.hpp"
#include "child_process.hpp"
#include "support/transaction_history.hpp"
#include "temp_directory.hpp"

// A process with two programs that consume, produce and commit in transactions, killed again and
// again wherever it is. What it does, is told and sees goes to a file, which survives it, and which
// is judged at the end by a checker that knows nothing else.

using millrace::Broker;
using millrace::Offset;
using millrace::test::ChildProcess;
using millrace::test::HistoryChecker;
using millrace::test::HistoryEntry;
using millrace::test::TempDirectory;
using namespace std::chrono_literals;
using Kind = HistoryEntry::Kind;
using Text = millrace::Topic<std::string, std::string>;

namespace {

constexpr int programs = 2;
constexpr std::int64_t inputs = 500;

/// Appends whole lines, each by one call, so that a kill leaves no half one in front of another.
class HistoryFile {
 public:
  explicit HistoryFile(const std::string& path)
      : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600)) {}
  ~HistoryFile() { ::close(file_); }
  void note(Kind kind, std::int64_t transaction, const std::string& partition,
            std::int64_t value) const {
    std::ostringstream line;
    line << HistoryEntry{kind, transaction, partition, value};
    const std::string text = line.str();
    if (::write(file_, text.data(), text.size()) < 0) std::abort();
  }

 private:
  int file_;
};

struct Job {
  std::string path;
  std::string history;
  int run = 0;
  int report = -1;  ///< gets a byte for each step
};

std::string input_name(int program) {
  return "in-" + std::to_string(program);
}

/// One transaction over what a poll gives; false once all is read.
bool step(const HistoryFile& history, const Job& job, int program, std::int64_t transaction_number,
          millrace::TransactionalProducer& producer,
          millrace::GroupConsumer<std::string, std::string>& member, const Text& out,
          bool commits) {
  auto records = member.poll(0s).value();
  const auto tell = [&] {
    const char byte = 0;
    if (::write(job.report, &byte, 1) != 1) std::abort();
  };
  auto transaction = producer.begin().value();
  std::int64_t next = -1;
  history.note(Kind::begin, transaction_number, "-", program);
  for (const auto& record : records) {
    const std::int64_t value = program * HistoryChecker::inputs + record.offset().value();
    const auto partition = static_cast<millrace::PartitionId>(value % 2);
    const std::string text = std::to_string(transaction_number) + " " + std::to_string(value);
    history.note(Kind::send, transaction_number, "out-" + std::to_string(partition), value);
    transaction.send_with(out, {.partition = partition}, nullptr, &text);
    next = record.offset().value() + 1;
    tell();
  }
  if (next >= 0) {
    history.note(Kind::offset, transaction_number, input_name(program), next);
    member.send_offsets_to(transaction).value();
    tell();
  }
  if (commits) {
    transaction.commit().value();
    history.note(Kind::committed, transaction_number, "-", 0);
  } else {
    transaction.abort().value();
    history.note(Kind::aborted, transaction_number, "-", 0);
    member.rewind().value();
  }
  tell();
  const auto committed = member.committed({input_name(program), 0}).value();
  if (committed) history.note(Kind::observed, 0, input_name(program), committed->offset.value());
  return !committed || committed->offset < Offset{inputs};
}

void run_program(const Broker& broker, const HistoryFile& history, const Job& job, int program) {
  std::mt19937_64 random(static_cast<std::uint64_t>(job.run * programs + program));
  const auto in = broker.topic<std::string, std::string>(input_name(program)).value();
  const auto out = broker.topic<std::string, std::string>("out").value();
  auto producer = millrace::TransactionalProducer::open(broker, input_name(program)).value();
  millrace::GroupOptions options;
  options.consumer.max_records = 4;
  options.auto_commit_interval = std::nullopt;
  millrace::ConsumerGroup group{in, "g", options};
  auto member = group.join().value();
  while (member.assignment().empty()) static_cast<void>(member.poll(0s).value());
  member.rewind().value();
  const auto committed = member.committed({input_name(program), 0}).value();
  if (committed) history.note(Kind::observed, 0, input_name(program), committed->offset.value());
  std::int64_t number = (std::int64_t{job.run} * programs + program) * 1'000'000;
  while (step(history, job, program, ++number, producer, member, out, random() % 5 != 0)) {
  }
}

int work(const Job& job) {
  const auto broker = Broker::open(job.path).value();
  const HistoryFile history(job.history);
  std::thread other([&] { run_program(broker, history, job, 1); });
  run_program(broker, history, job, 0);
  other.join();
  return broker.close() ? 0 : 1;
}

/// Whether it ended by itself before it was to be killed.
bool run_and_kill(Job job, int steps) {
  int ends[2] = {-1, -1};
  if (::pipe(ends) != 0) std::abort();
  job.report = ends[1];
  ChildProcess child([&] { return work(job); });
  ::close(ends[1]);
  char byte = 0;
  int seen = 0;
  while (seen < steps && ::read(ends[0], &byte, 1) == 1) ++seen;
  const bool ended = seen < steps;
  if (ended) {
    CHECK(child.wait() == 0);
  } else {
    child.kill();
  }
  ::close(ends[0]);
  return ended;
}

void read_all(const Broker& broker, const HistoryFile& history) {
  const auto out = broker.topic<std::string, std::string>("out").value();
  millrace::Consumer consumer{out};
  for (bool any = true; any;) {
    auto records = consumer.poll(0s).value();
    any = false;
    for (const auto& record : records) {
      const std::string text = record.value();
      history.note(Kind::read, std::stoll(text), "out-" + std::to_string(record.partition()),
                   std::stoll(text.substr(text.find(' '))));
      any = true;
    }
  }
}

void campaign(millrace::flush::Any policy) {
  const TempDirectory temp;
  const TempDirectory notes;
  Job job{temp.path(), notes.path() + "/history", 0};
  {
    const auto broker = Broker::open(temp.path()).value();
    broker.create_topic("out", {.partitions = 2, .flush = policy}).value();
    for (int program = 0; program < programs; ++program) {
      const auto topic =
          broker.topic<std::string, std::string>(input_name(program), {.flush = policy}).value();
      millrace::Producer producer{topic};
      for (std::int64_t i = 0; i < inputs; ++i) producer.send("k", std::to_string(i));
      producer.flush().value();
    }
    broker.close().value();
  }
  const int rounds = static_cast<int>(millrace_test::campaign_rounds(25, 500));
  const auto seed = millrace_test::campaign_seed(static_cast<std::uint64_t>(::getpid()));
  INFO("seed " << seed << ", " << rounds << " rounds");
  std::mt19937_64 random(seed);
  bool is_done = false;
  for (int round = 0; round < rounds && !is_done; ++round) {
    ++job.run;
    is_done = run_and_kill(job, 1 + static_cast<int>(random() % 60));
  }
  CHECK(job.run > 20);
  ++job.run;
  REQUIRE((is_done || run_and_kill(job, 1'000'000)));
  const auto broker = Broker::open(temp.path()).value();
  read_all(broker, HistoryFile(job.history));
  std::ifstream file(job.history);
  const auto history = millrace::test::read_history(file);
  const HistoryChecker checker(history);
  CHECK(checker.problems() == std::vector<std::string>());
  const auto reads = std::count_if(history.begin(), history.end(),
                                   [](const auto& entry) { return entry.kind == Kind::read; });
  CHECK(reads == programs * inputs);
}

}  // namespace

TEST_CASE("killed in the middle of transactions, nothing is lost, doubled or torn",
          "[kill_transactions]") {
  campaign(millrace::flush::before_ack{});
}

TEST_CASE("so it is with topics that leave flushing to the system", "[kill_transactions]") {
  campaign(millrace::flush::by_os{});
}
