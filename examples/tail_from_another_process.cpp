// One process owns a directory and appends; any number of others attach to it and follow along.
// They read the same mapped files: no copies, no server, no system call while data flows.
#include <sys/wait.h>
#include <unistd.h>

#include <millrace/millrace.hpp>

#include "example.hpp"

using example::check;
using namespace std::chrono_literals;

namespace {

constexpr int record_count = 20'000;

/// What the other process does; its exit status.
int tail(const std::string& path) {
  const auto broker = millrace::Broker::attach(path).value();
  const auto topic = broker.topic<std::int64_t, std::string>("ticks").value();

  // An attachment changes nothing: it gets an error that says who may.
  const auto refused = topic.partition(0)->append(-1, "not mine");
  check(!refused && refused.error().code() == millrace::Errc::read_only, "attachments only read");

  millrace::Consumer consumer{topic};
  std::int64_t next = 0;
  while (next < record_count) {
    // Wakes up as soon as the owner has published something; sleeping costs nothing. The wait is
    // long because it need not be short.
    const auto records = consumer.poll(60s).value();
    check(!records.empty(), "the owner goes on appending");
    for (const auto& record : records) {
      check(record.key() == next, "no record is lost, twice or out of order");
      ++next;
    }
  }
  std::printf("the reader saw %lld records\n", static_cast<long long>(next));
  std::fflush(stdout);
  return 0;
}

void append_some(const std::string& path, std::int64_t from, std::int64_t to, int ready_pipe) {
  const auto broker = millrace::Broker::open(path).value();
  const auto ticks =
      broker.topic<std::int64_t, std::string>("ticks", {.flush = millrace::flush::by_os{}}).value();
  if (ready_pipe >= 0) check(::write(ready_pipe, "r", 1) == 1, "the reader can be told");
  const auto partition = ticks.partition(0).value();
  for (std::int64_t i = from; i < to; ++i) partition.append(i, "tick").value();
  broker.close().value();
}

}  // namespace

int main(int argc, char** argv) {
  const example::DataDirectory data(argc, argv);
  int pipe_ends[2];
  check(::pipe(pipe_ends) == 0, "there is a pipe");

  // Fork before there is a broker: a child must not inherit one (it has threads and a lock).
  const pid_t reader = ::fork();
  if (reader == 0) {
    char byte = 0;
    if (::read(pipe_ends[0], &byte, 1) != 1) ::_exit(1);  // the topic is there now
    ::_exit(tail(data.path()));
  }
  check(reader > 0, "a process can be forked");

  append_some(data.path(), 0, record_count / 2, pipe_ends[1]);
  // The owner may go and come back; the reader stays attached and notices nothing.
  append_some(data.path(), record_count / 2, record_count, -1);

  int status = 0;
  check(::waitpid(reader, &status, 0) == reader, "the reader ends");
  check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the reader saw everything");
  return 0;
}
