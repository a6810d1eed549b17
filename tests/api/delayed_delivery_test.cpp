#include <millrace/engine/broker_core.hpp>
#include <millrace/testing/faulty_io.hpp>

#include "catch.hpp"
#include "delayed_fixture.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace millrace::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

// What delivery has to survive: restarts, transactions, retention, a full disk.

namespace {

engine::PartitionPtr partition_of(const DelayedStand& stand, PartitionId id = 0) {
  return stand.broker.core()->topic("t").value()->partitions[static_cast<std::size_t>(id)];
}

/// Appends a record as part of a transaction that no coordinator knows of.
void append_to_open_transaction(const DelayedTopic& topic, std::int64_t producer) {
  record::BatchBuilder batch({.transactional = true, .producer = {producer, 0, 0}});
  batch.add(Timestamp{1}, as_bytes("k"), as_bytes("open")).value();
  topic.partition(0).value().handle().append(batch).value();
}

}  // namespace

TEST_CASE("What is delayed survives that the directory is closed, and is not delivered twice",
          "[delayed]") {
  const TempDirectory temp;
  testing::ManualClock clock;
  {
    DelayedStand stand(temp.path(), nullptr, &clock);
    const auto topic = stand.make();
    stand.send(topic, "soon", 1s);
    stand.send(topic, "meanwhile", 1min);
    stand.send(topic, "late", 1h);
    stand.advance(1s);
    CHECK(seen(topic) == Values{"soon"});
    REQUIRE(stand.broker.close());
  }
  clock.advance(2min);
  for (int opening = 0; opening < 3; ++opening) {
    DelayedStand stand(temp.path(), nullptr, &clock);
    const auto topic = stand.make({});
    run_all(stand.broker);
    CHECK(seen(topic) == Values{"soon", "meanwhile"});
    REQUIRE(stand.broker.close());
  }
  DelayedStand stand(temp.path(), nullptr, &clock);
  const auto topic = stand.make({});
  stand.advance(1h);
  CHECK(seen(topic) == Values{"soon", "meanwhile", "late"});
}

TEST_CASE("A copy behind the begin of an open transaction is found when the directory is opened",
          "[delayed]") {
  const TempDirectory temp;
  testing::ManualClock clock;
  for (int opening = 0; opening < 3; ++opening) {
    DelayedStand stand(temp.path(), nullptr, &clock);
    const auto topic = stand.make();
    if (opening == 0) {
      stand.send(topic, "later", 1s);
      append_to_open_transaction(topic, 5000);
      stand.advance(1s);
    }
    run_all(stand.broker);
    CHECK(seen(topic).empty());  // they would have to see what is open
    CHECK(seen(topic, {.isolation = Isolation::read_uncommitted}) == Values{"open", "later"});
    REQUIRE(stand.broker.close());
  }
}

TEST_CASE("A delayed record of a transaction is delivered once that is committed", "[delayed]") {
  DelayedStand stand;
  const auto topic = stand.make();
  auto producer = TransactionalProducer::open(stand.broker, "p").value();
  const DeliverAt at(stand.clock.now() + 10s);
  const std::string value = "later";
  auto transaction = producer.begin().value();
  REQUIRE(transaction.send_with(topic, {.headers = at.headers()}, nullptr, &value).get());
  const auto uncommitted = [&] { return seen(topic, {.isolation = Isolation::read_uncommitted}); };
  CHECK(uncommitted().empty());
  SECTION("before its time") {
    REQUIRE(transaction.commit());
    stand.advance(9s);
    CHECK(seen(topic).empty());
    CHECK(uncommitted().empty());
    stand.advance(1s);
  }
  SECTION("after its time") {
    stand.advance(20s);
    CHECK(uncommitted().empty());
    REQUIRE(transaction.commit());
    stand.advance(0s);
  }
  CHECK(seen(topic) == Values{"later"});
  CHECK(uncommitted() == Values{"later"});
}

TEST_CASE("A delayed record that was aborted is never delivered", "[delayed]") {
  const TempDirectory temp;
  testing::ManualClock clock;
  {
    DelayedStand stand(temp.path(), nullptr, &clock);
    const auto topic = stand.make();
    auto producer = TransactionalProducer::open(stand.broker, "p").value();
    const DeliverAt at(stand.clock.now() + 10s);
    const std::string value = "given up";
    auto transaction = producer.begin().value();
    REQUIRE(transaction.send_with(topic, {.headers = at.headers()}, nullptr, &value).get());
    REQUIRE(transaction.abort());
    stand.advance(20s);
    CHECK(seen(topic, {.isolation = Isolation::read_uncommitted}).empty());
    REQUIRE(stand.broker.close());
  }
  DelayedStand stand(temp.path(), nullptr, &clock);
  run_all(stand.broker);
  CHECK(seen(stand.make(), {.isolation = Isolation::read_uncommitted}).empty());
}

TEST_CASE("Retention waits for what is to be delivered", "[delayed]") {
  const TempDirectory temp;
  testing::ManualClock clock;
  TopicOptions options{.settings = delayed_settings};
  options.settings["segment.bytes"] = "1024";
  options.settings["retention.ms"] = "60000";
  const std::string filler(900, 'x');
  const auto start = [](const DelayedStand& stand) {
    REQUIRE(partition_of(stand)->clean());
    return partition_of(stand)->log_start_offset();
  };
  {
    DelayedStand stand(temp.path(), nullptr, &clock);
    const auto topic = stand.make(options);
    DelayedStand::send(topic, filler);
    stand.send(topic, "later", 1h);
    for (int i = 0; i < 5; ++i) DelayedStand::send(topic, filler);
    stand.advance(10min);
    CHECK(start(stand) == Offset{1});
    REQUIRE(stand.broker.close());
  }
  DelayedStand stand(temp.path(), nullptr, &clock);
  const auto topic = stand.make({});
  CHECK(start(stand) == Offset{1});  // nothing is known yet
  stand.advance(10min);
  CHECK(start(stand) == Offset{1});
  stand.advance(40min);
  CHECK(seen(topic).back() == "later");
  CHECK(start(stand) == Offset{7});
  CHECK(seen(topic) == Values{"later"});
  DelayedStand::send(topic, filler);
  stand.advance(10min);
  CHECK(start(stand) >= Offset{8});
}

TEST_CASE("What a loss of power could take does not let retention go on", "[delayed]") {
  DelayedStand stand;
  TopicOptions options{.flush = flush::by_os{}, .settings = delayed_settings};
  options.settings["retention.ms"] = "60000";
  const auto topic = stand.make(options);
  stand.send(topic, "later", 10min);
  REQUIRE(partition_of(stand)->log().roll());
  REQUIRE(partition_of(stand)->flush());
  stand.advance(10min);
  CHECK(seen(topic) == Values{"later"});
  REQUIRE(partition_of(stand)->clean());
  CHECK(partition_of(stand)->log_start_offset() == Offset{0});
  REQUIRE(partition_of(stand)->flush());
  run_all(stand.broker);
  REQUIRE(partition_of(stand)->clean());
  CHECK(partition_of(stand)->log_start_offset() == Offset{1});
}

TEST_CASE("What is removed is not delivered", "[delayed]") {
  DelayedStand stand;
  const auto topic = stand.make();
  stand.send(topic, "removed", 1min);
  stand.send(topic, "kept", 1min);
  run_all(stand.broker);
  REQUIRE(partition_of(stand)->log().delete_before(Offset{1}));
  stand.advance(1min);
  CHECK(seen(topic) == Values{"kept"});
  stand.send(topic, "never", 1min);
  run_all(stand.broker);
  REQUIRE(stand.broker.delete_topic("t"));
  stand.advance(1h);
  CHECK(stand.errors.empty());
}

TEST_CASE("A full disk puts delivery off; nothing is lost, nothing comes twice", "[delayed]") {
  testing::FaultyIo io;
  DelayedStand stand(":memory:", &io);
  TopicOptions options{.settings = delayed_settings};
  options.settings["max.message.bytes"] = "2200";  // two records a batch
  const auto topic = stand.make(options);
  Values values;
  for (const char letter : {'a', 'b', 'c', 'd', 'e', 'f'}) {
    values.emplace_back(900, letter);
    stand.send(topic, values.back(), 1min);
  }
  run_all(stand.broker);
  const auto failing = GENERATE(std::uint64_t{1}, 2, 3);
  const auto fail = [&](std::uint64_t nth) {
    io.fail({.nth = nth, .os_code = ENOSPC, .ops = {os::IoOp::write}, .path_suffix = ".log"});
  };
  fail(failing);
  stand.advance(1min);
  REQUIRE(stand.errors.size() == 1);
  CHECK_THAT(stand.errors.front(), Contains("No space"));
  const Values so_far = seen(topic);
  CHECK(so_far.size() == 2 * (failing - 1));
  CHECK(std::equal(so_far.begin(), so_far.end(), values.begin()));
  DelayedStand::send(topic, "x");  // is no reason to try again at once
  run_all(stand.broker);
  CHECK(stand.errors.size() == 1);
  fail(1);
  stand.advance(1s);
  CHECK(stand.errors.size() == 2);
  stand.advance(1s);
  Values all = seen(topic);
  std::erase(all, "x");
  CHECK((all == values));
}

TEST_CASE("Delayed delivery and compaction exclude each other", "[delayed]") {
  DelayedStand stand;
  TopicOptions both{.settings = delayed_settings};
  both.settings["cleanup.policy"] = "compact";
  const auto refused = stand.broker.create_topic("c", both);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::invalid_argument);
  CHECK_THAT(refused.error().message(), Contains("cleanup.policy=delete"));
  const auto topic = stand.make();
  const auto altered = stand.broker.alter_topic("t", {{"cleanup.policy", "delete,compact"}});
  REQUIRE_FALSE(altered);
  CHECK_THAT(altered.error().message(), Contains("does not go together"));
  REQUIRE(stand.broker.create_topic("d", {.settings = {{"cleanup.policy", "compact"}}}));
  CHECK_FALSE(stand.broker.alter_topic("d", delayed_settings));
  REQUIRE(stand.broker.alter_topic("t", {{"cleanup.policy", "delete"}, {"retention.ms", "-1"}}));
}

TEST_CASE("The setting changes only while a topic has no records", "[delayed]") {
  DelayedStand stand;
  const auto topic = stand.make({});
  Consumer consumer{topic};
  REQUIRE(stand.broker.alter_topic("t", delayed_settings));
  stand.send(topic, "later", 1min);
  CHECK(consumer.poll(0s).value().empty());
  const auto refused = stand.broker.alter_topic("t", {{"millrace.delayed.delivery", ""}});
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message(), Contains("another topic"));
  stand.advance(1min);
  CHECK(seen(topic) == Values{"later"});
  REQUIRE(stand.broker.create_topic("old"));
  const auto old = stand.broker.topic<std::string, std::string>("old").value();
  DelayedStand::send(old, "x");
  CHECK_FALSE(stand.broker.alter_topic("old", delayed_settings));
}

TEST_CASE("Headers that are passed on do not pass for a delivery", "[delayed]") {
  DelayedStand stand;
  const auto from = stand.make();
  const auto to =
      stand.broker.topic<std::string, std::string>("to", {.settings = delayed_settings}).value();
  stand.send(from, "passed on", 1s);
  stand.advance(1s);
  Consumer consumer{from};
  const auto records = consumer.poll(0s).value();
  const auto record = records.begin();
  REQUIRE(record != records.end());
  // Of the same offset as the one that the headers speak of, and still to be delivered.
  stand.send(to, "waits", 1h);
  std::vector<Header> headers;
  for (const auto& header : record->headers()) headers.push_back(header);
  Producer producer{to};
  const std::string value = "passed on";
  REQUIRE(producer.send_with({.headers = headers}, nullptr, &value).get());
  const DeliverAt again(stand.clock.now() + 2h);
  headers.push_back(again.header());
  REQUIRE(producer.send_with({.headers = headers}, nullptr, &value).get());
  CHECK(seen(to) == Values{"passed on"});
}

TEST_CASE("They do not after opening either", "[delayed]") {
  const TempDirectory temp;
  testing::ManualClock clock;
  {
    DelayedStand stand(temp.path(), nullptr, &clock);
    const auto topic = stand.make();
    stand.send(topic, "waits", 1h);
    const std::vector<Header> foreign = {{"millrace.delayed-offset", as_bytes("0@another-0")}};
    const std::string value = "passed on";
    Producer producer{topic};
    REQUIRE(producer.send_with({.headers = foreign}, nullptr, &value).get());
    REQUIRE(producer.flush());
    REQUIRE(stand.broker.close());
  }
  DelayedStand stand(temp.path(), nullptr, &clock);
  stand.advance(1h);
  CHECK(seen(stand.make()) == Values{"passed on", "waits"});
}

TEST_CASE("A record as large as a topic takes is delivered", "[delayed]") {
  DelayedStand stand;
  TopicOptions options{.settings = delayed_settings};
  options.settings["max.message.bytes"] = "2000";
  const auto topic = stand.make(options);
  std::string value(1800, 'x');
  const DeliverAt at(stand.clock.now() + 1s);
  const auto partition = topic.partition(0).value().handle();
  while (partition.append(std::nullopt, as_bytes(value), at.headers())) value += 'x';
  value.pop_back();
  stand.advance(1s);
  const Values all = seen(topic);
  REQUIRE_FALSE(all.empty());
  CHECK(all.back() == value);
  CHECK(stand.errors.empty());
}

TEST_CASE("A malformed time is refused by who appends directly", "[delayed]") {
  DelayedStand stand;
  const auto topic = stand.make();
  const std::vector<Header> headers = {{"millrace.deliver-at", as_bytes("1600000600000000")}};
  const auto refused =
      topic.partition(0).value().handle().append(std::nullopt, as_bytes("v"), headers);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::invalid_record);
  CHECK_THAT(refused.error().message(), Contains("1600000600000000") && Contains("DeliverAt"));
  CHECK(seen(topic).empty());
}

TEST_CASE("Partitions that are added deliver too", "[delayed]") {
  DelayedStand stand;
  stand.make();
  REQUIRE(stand.broker.add_partitions("t", 3));
  const auto topic = stand.make();
  const DeliverAt at(stand.clock.now() + 1s);
  const auto partition = topic.partition(2).value().handle();
  REQUIRE(partition.append(std::nullopt, as_bytes("later"), at.headers()));
  CHECK(seen(topic).empty());
  stand.advance(1s);
  CHECK(seen(topic) == Values{"later"});
}

TEST_CASE("An attachment hides and shows the same", "[delayed]") {
  const TempDirectory temp;
  testing::ManualClock clock;
  DelayedStand stand(temp.path(), nullptr, &clock);
  const auto topic = stand.make();
  const auto attached = Broker::attach(temp.path()).value();
  const auto there = attached.topic<std::string, std::string>("t").value();
  stand.send(topic, "later", 1s);
  DelayedStand::send(topic, "now");
  CHECK(seen(there) == Values{"now"});
  stand.advance(1s);
  CHECK(seen(there) == Values{"now", "later"});
}
