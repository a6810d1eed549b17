#include <millrace/consumer_group.hpp>
#include <millrace/millrace.hpp>
#include <millrace/testing/manual_clock.hpp>
#include <set>
#include <thread>

#include "catch.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace std::chrono_literals;

namespace {

using TextTopic = Topic<std::string, std::string>;
using TextGroup = ConsumerGroup<std::string, std::string>;
using TextConsumer = GroupConsumer<std::string, std::string>;

TextTopic make_topic(const Broker& broker, std::int32_t partitions, int records) {
  auto topic = broker.topic<std::string, std::string>("t", {.partitions = partitions}).value();
  Producer producer{topic, {.partitioner = partitioner::round_robin()}};
  for (int i = 0; i < records; ++i) producer.send("k", std::to_string(i));
  producer.flush().value();
  return topic;
}

std::multiset<std::string> read(TextConsumer& consumer) {
  std::multiset<std::string> values;
  const auto records = consumer.poll(0ms).value();
  for (const auto& record : records) values.insert(record.value());
  return values;
}

/// Lets all poll in turn until the group has come to rest; what they read meanwhile.
std::multiset<std::string> settle(std::vector<TextConsumer*> consumers) {
  std::multiset<std::string> values;
  for (int quiet = 0; quiet < 4;) {
    bool any = false;
    for (auto* consumer : consumers) {
      const auto before = consumer->assignment();
      values.merge(read(*consumer));
      any = any || consumer->assignment() != before;
    }
    quiet = any ? 0 : quiet + 1;
  }
  return values;
}

std::multiset<std::string> numbers(int count) {
  std::multiset<std::string> all;
  for (int i = 0; i < count; ++i) all.insert(std::to_string(i));
  return all;
}

}  // namespace

TEST_CASE("Members of a group share a topic, groups each get all of it", "[consumer_group]") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = make_topic(broker, 4, 100);
  TextGroup billing{topic, "billing"};
  auto a = billing.join().value();
  auto b = billing.join().value();
  CHECK(settle({&a, &b}) == numbers(100));
  CHECK(a.assignment().size() == 2);
  CHECK(b.assignment().size() == 2);

  auto other = TextGroup{topic, "audit"}.join().value();
  CHECK(settle({&other}) == numbers(100));
  CHECK(other.assignment().size() == 4);
}

TEST_CASE("A group goes on where it committed", "[consumer_group]") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = make_topic(broker, 2, 10);
  const TextGroup group{topic, "g", {.auto_commit_interval = std::nullopt}};
  {
    auto first = group.join().value();
    CHECK(read(first).size() == 10);
    REQUIRE(first.commit());
    CHECK(first.committed(0).value()->offset == Offset{5});
  }
  {
    Producer producer{topic, {.partitioner = partitioner::round_robin()}};
    producer.send("k", "10");
    producer.flush().value();
    auto second = group.join().value();
    CHECK(read(second) == std::multiset<std::string>{"10"});  // and does not commit it
  }
  auto third = group.join().value();
  CHECK(read(third) == std::multiset<std::string>{"10"});
}

TEST_CASE("Auto-commit commits what polls have returned", "[consumer_group]") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = make_topic(broker, 1, 10);
  const TextGroup group{topic, "g"};
  {
    auto first = group.join().value();
    CHECK(read(first).size() == 10);
    REQUIRE(first.leave());
  }
  auto second = group.join().value();
  CHECK(read(second).empty());
  CHECK(second.lag(0).value() == 0);
}

TEST_CASE("A commit does not count on an auto-commit that is still to come", "[consumer_group]") {
  testing::ManualClock clock;
  const auto broker =
      Broker::open(":memory:", {.background_thread = false, .clock = &clock}).value();
  const auto topic = make_topic(broker, 1, 10);
  auto member = TextGroup{topic, "g"}.join().value();
  CHECK(read(member).size() == 10);
  clock.advance(5s);
  CHECK(read(member).empty());  // hands an auto-commit to a schedule that nobody runs
  REQUIRE(member.commit());
  REQUIRE(member.committed(0).value());
  CHECK(member.committed(0).value()->offset == Offset{10});
}

TEST_CASE("What was committed for a topic goes with it", "[consumer_group]") {
  const auto broker = Broker::open(":memory:").value();
  {
    auto member = TextGroup{make_topic(broker, 1, 10), "g"}.join().value();
    CHECK(read(member).size() == 10);
    REQUIRE(member.leave());
  }
  REQUIRE(broker.delete_topic("t"));
  auto member = TextGroup{make_topic(broker, 1, 20), "g"}.join().value();
  CHECK(read(member) == numbers(20));
}

TEST_CASE("Committed offsets and groups survive a restart of the process", "[consumer_group]") {
  const test::TempDirectory directory;
  {
    const auto broker = Broker::open(directory.path()).value();
    auto member = TextGroup{make_topic(broker, 2, 10), "g"}.join().value();
    CHECK(read(member).size() == 10);
    REQUIRE(member.commit(0, Offset{3}, "note"));
    REQUIRE(member.commit(1, Offset{5}));
    // Closed under a member that did not leave, as a crash would.
    REQUIRE(broker.close());
  }
  const auto broker = Broker::open(directory.path()).value();
  const auto topic = broker.topic<std::string, std::string>("t").value();
  auto member = TextGroup{topic, "g"}.join().value();
  CHECK(read(member).size() == 2);
  CHECK(member.committed(0).value()->metadata == "note");
}

TEST_CASE("A listener hears on the polling thread what comes and goes", "[consumer_group]") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = make_topic(broker, 2, 0);
  std::vector<std::string> heard;
  const auto note = [&](std::string what) {
    return [&heard, what](const std::vector<PartitionId>& ids) {
      heard.push_back(what + " " + std::to_string(ids.size()));
    };
  };
  GroupOptions options;
  options.listener = {note("revoked"), note("assigned"), note("lost")};
  auto a = TextGroup{topic, "g", options}.join().value();
  settle({&a});
  CHECK(heard == std::vector<std::string>{"assigned 2"});
  heard.clear();
  auto b = TextGroup{topic, "g"}.join().value();
  settle({&a, &b});
  CHECK(heard == std::vector<std::string>{"revoked 1"});
  heard.clear();
  REQUIRE(b.leave());
  settle({&a});
  CHECK(heard == std::vector<std::string>{"assigned 1"});
}

TEST_CASE("A member that waits takes over at once when another leaves", "[consumer_group]") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = make_topic(broker, 2, 0);
  auto a = TextGroup{topic, "g"}.join().value();
  auto b = TextGroup{topic, "g"}.join().value();
  settle({&a, &b});
  std::thread waits([&] {
    while (b.assignment().size() != 2) static_cast<void>(b.poll(1h).value());
  });
  REQUIRE(a.leave());
  // Wakes the poll that got the partitions, which itself has nothing to return.
  Producer producer{topic, {.partitioner = partitioner::round_robin()}};
  for (int i = 0; i < 2; ++i) producer.send("k", "v");
  producer.flush().value();
  waits.join();
  CHECK(b.assignment().size() == 2);
}

TEST_CASE("A member that is fenced or expired cannot commit", "[consumer_group]") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = make_topic(broker, 1, 10);
  GroupOptions options;
  options.auto_commit_interval.reset();
  options.instance_id = "worker-1";
  auto first = TextGroup{topic, "g", options}.join().value();
  CHECK(read(first).size() == 10);
  auto second = TextGroup{topic, "g", options}.join().value();
  settle({&second});
  const auto refused = first.commit();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::fenced_instance);
  CHECK(first.poll(0ms).error().code() == Errc::fenced_instance);
  CHECK(second.assignment().size() == 1);
}

TEST_CASE("Joining in a way that cannot be says what to do", "[consumer_group]") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = make_topic(broker, 1, 0);
  CHECK(TextGroup(topic, "").join().error().message() ==
        "joining a group of topic t: a group's id must not be empty; give the group a name");
  GroupOptions options;
  options.max_poll_interval = 0ms;
  CHECK(TextGroup(topic, "g", options).join().error().code() == Errc::invalid_argument);
  options = {};
  options.consumer.auto_offset_reset = OffsetReset::none;
  CHECK(TextGroup(topic, "g", options).join().error().message() ==
        "t-0: group g has committed no offset for it and auto_offset_reset is none: commit() one, "
        "or choose earliest or latest");
}
