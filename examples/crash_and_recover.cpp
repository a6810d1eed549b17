// A process is killed in the middle of its work. Nothing that was acknowledged is lost, nothing is
// read back that was not sent, and opening takes no longer than usual.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <millrace/millrace.hpp>

#include "example.hpp"

using example::check;

namespace {

std::string payload(std::int64_t number) {
  return "payment " + std::to_string(number);
}

/// Sends for ever; tells the parent of every acknowledged record.
[[noreturn]] void work(const std::string& path, int acks) {
  const auto broker = millrace::Broker::open(path).value();
  const auto topic = broker.topic<std::int64_t, std::string>("payments", {.partitions = 2}).value();
  millrace::Producer producer{topic};
  for (std::int64_t i = 0;; ++i) {
    producer.send(i, payload(i), [=](const millrace::Result<millrace::Receipt>& receipt) {
      if (receipt.has_value() && ::write(acks, &i, sizeof i) != sizeof i) ::_exit(1);
    });
  }
}

struct Killed {
  std::vector<std::int64_t> acknowledged;
};

/// Lets a child work until it has acknowledged 20,000 records, then kills it.
Killed run_and_kill(const std::string& path) {
  int pipe_ends[2];
  check(::pipe(pipe_ends) == 0, "there is a pipe");
  const pid_t child = ::fork();
  if (child == 0) work(path, pipe_ends[1]);
  check(child > 0, "a process can be forked");
  ::close(pipe_ends[1]);

  Killed killed;
  std::int64_t number = 0;
  bool alive = true;
  while (::read(pipe_ends[0], &number, sizeof number) == sizeof number) {
    killed.acknowledged.push_back(number);
    if (alive && killed.acknowledged.size() >= 20'000) {
      check(::kill(child, SIGKILL) == 0, "the child can be killed");
      alive = false;  // what it still managed to say is in the pipe
    }
  }
  ::close(pipe_ends[0]);
  int status = 0;
  check(::waitpid(child, &status, 0) == child, "the child is gone");
  check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "and did not end by itself");
  return killed;
}

}  // namespace

int main(int argc, char** argv) {
  const example::DataDirectory data(argc, argv);
  const Killed killed = run_and_kill(data.path());
  std::printf("killed after %zu acknowledged records\n", killed.acknowledged.size());

  // The lock went with the process: nothing to clean up, nobody to ask.
  const auto broker = millrace::Broker::open(data.path()).value();
  for (const auto& partition : broker.recovery_report()) {
    std::printf("%s-%d: %s, [%lld, %lld), %llu bytes checked, %llu cut off, %lld us\n",
                partition.topic.c_str(), partition.partition, partition.how.c_str(),
                static_cast<long long>(partition.log_start_offset.value()),
                static_cast<long long>(partition.log_end_offset.value()),
                static_cast<unsigned long long>(partition.scanned_bytes),
                static_cast<unsigned long long>(partition.truncated_bytes),
                static_cast<long long>(partition.took.count()));
    check(partition.how == "same_run", "the machine ran on, so the page cache counts");
    check(partition.damaged.empty(), "nothing is damaged");
  }

  std::vector<bool> found;
  const auto topic = broker.topic<std::int64_t, std::string>("payments").value();
  for (millrace::PartitionId id = 0; id < topic.partition_count(); ++id) {
    const auto partition = topic.partition(id).value();
    auto scan = partition.scan(partition.offsets().start);
    for (const auto& record : scan) {
      const std::int64_t number = record.key();
      check(record.value() == payload(number), "what is read is what was sent");
      const auto at = static_cast<std::size_t>(number);
      if (found.size() <= at) found.resize(at + 1);
      check(!found[at], "no record is there twice");
      found[at] = true;
    }
    check(scan.status().has_value(), "the partition can be read to its end");
  }
  for (const std::int64_t number : killed.acknowledged) {
    const auto at = static_cast<std::size_t>(number);
    check(at < found.size() && found[at], "acknowledged record " + std::to_string(number));
  }
  std::printf("all of them are there\n");
  broker.close().value();
  return 0;
}
