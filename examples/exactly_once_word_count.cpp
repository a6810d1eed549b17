// Counts the words of a file, exactly, though the counting process is killed again and again: the
// offsets that it has read to, the counts, and the records that tell of them are one transaction.
//
//   exactly_once_word_count DIR FILE      counts the words of FILE
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cctype>
#include <fstream>
#include <map>
#include <millrace/millrace.hpp>
#include <random>

#include "example.hpp"

using example::check;
using namespace std::chrono_literals;

namespace {

using Counts = std::map<std::string, std::int64_t>;

template <typename Visit>
void for_each_word(const std::string& line, Visit visit) {
  std::string word;
  for (const char c : line + " ") {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!word.empty()) {
      visit(std::exchange(word, {}));
    }
  }
}

/// Sends the lines, and counts their words the simple way.
Counts send_lines(const std::string& path, const std::string& file, std::int64_t& lines) {
  const auto broker = millrace::Broker::open(path).value();
  const auto topic = broker.topic<std::int64_t, std::string>("lines", {.partitions = 4}).value();
  millrace::Producer producer{topic};
  Counts counts;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line); ++lines) {
    producer.send(lines, line);
    for_each_word(line, [&](const std::string& word) { ++counts[word]; });
  }
  producer.flush().value();
  broker.close().value();
  return counts;
}

/// Counts until all lines are read; tells the parent of each step.
int count_words(const std::string& path, std::int64_t lines, int steps) {
  const auto broker = millrace::Broker::open(path).value();
  const auto topic = broker.topic<std::int64_t, std::string>("lines").value();
  auto producer = millrace::TransactionalProducer::open(broker, "word-count").value();
  auto counts = millrace::KeyValueStore<std::string, std::int64_t>::open(broker, "counts").value();
  millrace::GroupOptions options;
  options.auto_commit_interval = std::nullopt;  // the transaction commits
  options.consumer.max_records = 5;             // many small steps, to be killed in
  millrace::ConsumerGroup group{topic, "word-count", options};
  auto member = group.join().value();
  const auto handle = [&](const auto& record,
                          millrace::Transaction& transaction) -> millrace::Result<void> {
    const auto add = [&](const std::string& key, std::int64_t by) {
      counts.put(transaction, key, counts.get(key).value_or(0) + by);
      const char step = 1;
      if (::write(steps, &step, 1) != 1) ::_exit(1);
    };
    for_each_word(record.value(), [&](const std::string& word) { add(word, 1); });
    add("#lines", 1);
    return {};
  };
  while (counts.get("#lines").value_or(0) < lines) {
    millrace::process_exactly_once(member, producer, 100ms, handle).value();
  }
  broker.close().value();
  return 0;
}

/// Whether the child was done before it had made so many steps and was killed.
bool run_child(const std::string& path, std::int64_t lines, long steps) {
  int pipe_ends[2];
  check(::pipe(pipe_ends) == 0, "there is a pipe");
  const pid_t child = ::fork();
  if (child == 0) ::_exit(count_words(path, lines, pipe_ends[1]));
  check(child > 0, "a process can be forked");
  ::close(pipe_ends[1]);
  char step = 0;
  while (steps != 0 && ::read(pipe_ends[0], &step, 1) == 1) --steps;
  if (steps == 0) check(::kill(child, SIGKILL) == 0, "the child can be killed");
  ::close(pipe_ends[0]);
  int status = 0;
  check(::waitpid(child, &status, 0) == child, "the child is gone");
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  const example::DataDirectory data(argc, argv);
  check(argc > 2, "a file is given to count the words of");
  std::int64_t lines = 0;
  Counts expected = send_lines(data.path(), argv[2], lines);
  expected["#lines"] = lines;

  std::mt19937_64 random(20);
  int kills = 0;
  while (kills < 20 && !run_child(data.path(), lines, 1 + static_cast<long>(random() % 120))) {
    ++kills;
  }
  check(kills == 20, "the file is long enough to be killed 20 times in it");
  check(run_child(data.path(), lines, -1), "the last one counts to the end");

  const auto broker = millrace::Broker::open(data.path()).value();
  const auto counts =
      millrace::KeyValueStore<std::string, std::int64_t>::open(broker, "counts").value();
  check(counts.committed() == expected, "every word is counted exactly as often as it is there");
  std::printf("killed %d times, %lld lines, %zu words: all counts are exact\n", kills,
              static_cast<long long>(lines), counts.committed().size() - 1);
  return 0;
}
