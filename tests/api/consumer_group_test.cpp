#include <millrace/consumer_group.hpp>
#include <millrace/millrace.hpp>
#include <millrace/record/compression.hpp>
#include <millrace/testing/manual_clock.hpp>
#include <set>
#include <thread>

#include "catch.hpp"
#include "group_fixture.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace std::chrono_literals;
using namespace millrace_test;

namespace {

TextTopic make_topic(const Broker& broker, std::int32_t partitions, int records) {
  auto topic = broker.topic<std::string, std::string>("t", {.partitions = partitions}).value();
  Producer producer{topic, {.partitioner = partitioner::round_robin()}};
  for (int i = 0; i < records; ++i) producer.send("k", std::to_string(i));
  producer.flush().value();
  return topic;
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
    CHECK(first.committed({"t", 0}).value()->offset == Offset{5});
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
  CHECK(second.lag({"t", 0}).value() == 0);
}

TEST_CASE("What is committed before it is worked on is not read again", "[consumer_group]") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = make_topic(broker, 1, 10);
  GroupOptions options;
  options.auto_commit_interval = std::nullopt;
  options.consumer.max_records = 4;
  const TextGroup group{topic, "g", options};
  {
    auto member = group.join().value();
    REQUIRE_FALSE(member.poll(0s).value().empty());
    REQUIRE(member.commit());
    REQUIRE_FALSE(member.poll(0s).value().empty());  // neither worked on nor committed
  }
  auto second = group.join().value();
  REQUIRE(second.committed({"t", 0}).value());
  CHECK(second.committed({"t", 0}).value()->offset == Offset{4});
  CHECK(read(second).size() == 4);
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
  REQUIRE(member.committed({"t", 0}).value());
  CHECK(member.committed({"t", 0}).value()->offset == Offset{10});
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
    REQUIRE(member.commit({"t", 0}, Offset{3}, "note"));
    REQUIRE(member.commit({"t", 1}, Offset{5}));
    // Closed under a member that did not leave, as a crash would.
    REQUIRE(broker.close());
  }
  const auto broker = Broker::open(directory.path()).value();
  const auto topic = broker.topic<std::string, std::string>("t").value();
  auto member = TextGroup{topic, "g"}.join().value();
  CHECK(read(member).size() == 2);
  CHECK(member.committed({"t", 0}).value()->metadata == "note");
}

TEST_CASE("A listener hears on the polling thread what comes and goes", "[consumer_group]") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = make_topic(broker, 2, 0);
  std::vector<std::string> heard;
  const auto note = [&](std::string what) {
    return [&heard, what](const std::vector<TopicPartition>& those) {
      heard.push_back(what + " " + std::to_string(those.size()));
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
        "t-0: group g has committed no offset for it and auto_offset_reset is none: seek() or "
        "commit() one, or choose earliest or latest");
}

TEST_CASE("Without a place to begin a group refuses to read until it has one", "[consumer_group]") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = make_topic(broker, 1, 10);
  GroupOptions options;
  options.auto_commit_interval.reset();
  REQUIRE(TextGroup(topic, "g", options).join().value().commit({"t", 0}, Offset{4}));
  options.consumer.auto_offset_reset = OffsetReset::none;
  auto member = TextGroup{topic, "g", options}.join().value();
  CHECK(settle({&member}).size() == 6);
  // A rebalance brings a partition that nobody committed an offset for.
  REQUIRE(broker.add_partitions("t", 2));
  broker.topic<std::string, std::string>("t").value().partition(1).value().append("k", "v").value();
  while (member.poll(0ms)) {
  }
  for (int i = 0; i < 3; ++i) {
    const auto refused = member.poll(0ms);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::offset_out_of_range);
    CHECK(refused.error().partition() == 1);
  }
  REQUIRE(member.commit());
  CHECK_FALSE(member.committed({"t", 1}).value());  // it has no position to commit
  SECTION("sought") {
    REQUIRE(member.seek_to_begin({"t", 1}));
    CHECK(read(member) == std::multiset<std::string>{"v"});
  }
  SECTION("committed") {
    REQUIRE(member.commit({"t", 1}, Offset{1}));
    CHECK(read(member).empty());
  }
}

TEST_CASE("A member does not wait for memory that only its caller can give back",
          "[consumer_group]") {
  if (!record::codec_available(record::Codec::zstd)) return;
  const auto broker = Broker::open(":memory:").value();
  const auto topic = broker.topic<std::string, std::string>("t", {.partitions = 1}).value();
  Producer producer{topic, {.compression = record::Codec::zstd}};
  for (int i = 0; i < 2; ++i) {
    producer.send("k", std::string(10'000, 'x'));
    producer.flush().value();
  }
  const TextGroup group{topic, "g", {.consumer = {.memory_bytes = 15'000}}};
  auto member = group.join().value();
  auto first = std::make_optional(member.poll(1h).value());
  REQUIRE_FALSE(first->empty());
  CHECK(member.poll(1h).value().empty());
  first.reset();
  CHECK_FALSE(member.poll(1h).value().empty());
}

TEST_CASE("A member that pauses a partition leaves it out until it resumes it",
          "[consumer_group]") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = make_topic(broker, 1, 3);
  const TextGroup group{topic, "g", {.auto_commit_interval = std::nullopt}};
  auto producer = TransactionalProducer::open(broker, "p").value();
  auto transaction = producer.begin().value();
  REQUIRE(transaction.send_offsets("g", "t", 0, Offset{1}));
  auto member = group.join().value();
  const TopicPartition partition{"t", 0};
  while (member.assignment().empty()) REQUIRE(member.poll(0s));
  SECTION("while a transaction decides where it is to begin") {
    REQUIRE(member.pause(partition));
    REQUIRE(transaction.commit());
    CHECK(read(member).empty());
    REQUIRE(member.resume(partition));
    CHECK(read(member) == std::multiset<std::string>{"1", "2"});
  }
  SECTION("but not before that transaction is over") {
    REQUIRE(member.resume(partition));
    CHECK(read(member).empty());
    REQUIRE(member.pause(partition));
    REQUIRE(member.resume(partition));
    CHECK(read(member).empty());
    REQUIRE(transaction.abort());
    CHECK(read(member) == numbers(3));
  }
  SECTION("also when it seeks") {
    REQUIRE(member.pause(partition));
    REQUIRE(member.seek(partition, Offset{2}));
    CHECK(read(member).empty());
    REQUIRE(member.resume(partition));
    CHECK(read(member) == std::multiset<std::string>{"2"});
  }
  SECTION("also when it rewinds") {
    REQUIRE(transaction.abort());
    CHECK(read(member) == numbers(3));
    REQUIRE(member.pause(partition));
    REQUIRE(member.rewind());
    CHECK(read(member).empty());
    REQUIRE(member.resume(partition));
    CHECK(read(member) == numbers(3));
  }
}

TEST_CASE("A group may begin so long ago", "[consumer_group]") {
  testing::ManualClock clock;
  const auto broker =
      Broker::open(":memory:", {.background_thread = false, .clock = &clock}).value();
  const auto partition = make_topic(broker, 1, 0).partition(0).value();
  for (int hour = 0; hour < 4; ++hour) {
    partition.append("k", std::to_string(hour)).value();
    clock.advance(1h);
  }
  const auto topic = broker.topic<std::string, std::string>("t").value();
  GroupOptions options;
  options.consumer.auto_offset_reset = OffsetReset::by_duration(2h);
  auto member = TextGroup{topic, "g", options}.join().value();
  CHECK(read(member) == std::multiset<std::string>{"2", "3"});
  options.consumer.auto_offset_reset = OffsetReset::by_duration(59min);
  auto late = TextGroup{topic, "h", options}.join().value();
  CHECK(read(late).empty());
  CHECK(late.position({"t", 0}).value() == Offset{4});
}

TEST_CASE("Going back and on stays within what is there", "[consumer_group]") {
  const auto broker = Broker::open(":memory:").value();
  auto member = TextGroup{make_topic(broker, 1, 10), "g"}.join().value();
  CHECK(read(member).size() == 10);
  REQUIRE(member.rewind({"t", 0}, 3));
  CHECK(read(member) == std::multiset<std::string>{"7", "8", "9"});
  REQUIRE(member.rewind({"t", 0}, 100));
  CHECK(member.position({"t", 0}).value() == Offset{0});
  REQUIRE(member.skip({"t", 0}, 9));
  CHECK(member.lag({"t", 0}).value() == 1);
  REQUIRE(member.skip({"t", 0}, std::numeric_limits<std::int64_t>::max()));
  CHECK(read(member).empty());
  CHECK(member.skip({"u", 0}, 1).error().code() == Errc::unknown_partition);
}
