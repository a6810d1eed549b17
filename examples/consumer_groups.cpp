// Several consumers share the work on a topic, another group gets all of it as well, and a member
// that goes away is replaced without losing or repeating what was committed.
//
//   consumer_groups DIR FILE      one record per line of FILE
#include <fstream>
#include <map>
#include <millrace/millrace.hpp>

#include "example.hpp"

using example::check;
using namespace std::chrono_literals;

namespace {

using Lines = millrace::Topic<std::string, std::string>;
using Group = millrace::ConsumerGroup<std::string, std::string>;
using Member = millrace::GroupConsumer<std::string, std::string>;
/// How often each line was read.
using Tally = std::map<std::string, int>;

Tally send_lines(const Lines& topic, const std::string& file) {
  Tally sent;
  millrace::Producer producer{topic};
  std::ifstream in(file);
  int number = 0;
  for (std::string line; std::getline(in, line); ++number) {
    const std::string key = std::to_string(number);  // spreads the lines over the partitions
    const std::string value = key + " " + line;
    producer.send(key, value);
    ++sent[value];
  }
  producer.flush().value();
  return sent;
}

/// Reads what there is for a member now; how many records that were.
int work(Member& member, Tally& tally) {
  int count = 0;
  const auto records = member.poll(10ms).value();
  for (const auto& record : records) {
    ++tally[record.value()];
    ++count;
  }
  return count;
}

std::size_t total(const Tally& tally) {
  std::size_t sum = 0;
  for (const auto& [line, count] : tally) sum += static_cast<std::size_t>(count);
  return sum;
}

/// Lets members poll in turn until all lines have been read.
void read_all(std::vector<Member*> members, Tally& tally, std::size_t lines) {
  for (int idle = 0; idle < 500 && total(tally) < lines; ++idle) {
    for (Member* const member : members) {
      if (work(*member, tally) > 0) idle = 0;
    }
  }
}

void share_and_broadcast(const Lines& topic, const Tally& sent) {
  // Two members of one group share the partitions...
  const Group billing{topic, "billing"};
  Member first = billing.join().value();
  Member second = billing.join().value();
  Tally billed;
  read_all({&first, &second}, billed, sent.size());
  check(billed == sent, "members of a group read each line once, between them");
  check(first.assignment().size() + second.assignment().size() == 4, "they share four partitions");

  // ...and a group of another name gets everything again.
  Member audit = Group{topic, "audit"}.join().value();
  Tally audited;
  read_all({&audit}, audited, sent.size());
  check(audited == sent, "another group reads every line too");
  std::printf("%zu lines: billing shared them between 2 members, audit read all\n", sent.size());
}

void take_over(const Lines& topic, const Tally& sent) {
  // Without auto-commit nothing counts as done before commit().
  millrace::GroupOptions options;
  options.auto_commit_interval.reset();
  options.consumer.max_records = 10;
  const Group group{topic, "careful", options};
  Tally committed;
  {
    Member first = group.join().value();
    while (committed.size() < sent.size() / 2) {
      work(first, committed);
      first.commit().value();
    }
    Tally not_committed;
    work(first, not_committed);
  }  // it leaves; what it read last was not committed
  Member second = group.join().value();
  read_all({&second}, committed, sent.size());
  check(committed == sent, "who takes over goes on behind what was committed");
  for (millrace::PartitionId id = 0; id < 4; ++id)
    check(second.lag({"lines", id}).value() == 0, "no lag");
  std::printf("the second member went on where the first had committed\n");
}

}  // namespace

int main(int argc, char** argv) {
  const example::DataDirectory data(argc, argv);
  const auto broker = millrace::Broker::open(data.path()).value();
  const auto topic = broker.topic<std::string, std::string>("lines", {.partitions = 4}).value();
  const Tally sent = send_lines(topic, argc > 2 ? argv[2] : __FILE__);
  check(sent.size() > 40, "the file has some lines");
  share_and_broadcast(topic, sent);
  take_over(topic, sent);
  broker.close().value();
  return 0;
}
