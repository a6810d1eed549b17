#include <millrace/millrace.hpp>
#include <millrace/testing/faulty_io.hpp>
#include <millrace/testing/manual_clock.hpp>

#include "catch.hpp"

using namespace millrace;
using namespace std::chrono_literals;

// What must not slip into a commit when something went wrong before it.

namespace {

using TextTopic = Topic<std::string, std::string>;
using Store = KeyValueStore<std::string, std::int64_t>;
using Values = std::vector<std::string>;

struct Stand {
  testing::FaultyIo io;
  testing::ManualClock clock;
  Broker broker =
      Broker::open(":memory:", {.background_thread = false, .clock = &clock, .io_hooks = &io})
          .value();
  TextTopic topic = broker.topic<std::string, std::string>("t").value();

  TransactionalProducer producer(const std::string& id = "p",
                                 const ProducerOptions& options = {}) const {
    return TransactionalProducer::open(broker, id, {.producer = options}).value();
  }
  Values committed() const {
    Consumer consumer{topic};
    Values values;
    const auto records = consumer.poll(0s).value();
    for (const auto& record : records) values.push_back(record.value());
    return values;
  }
};

Values poll(GroupConsumer<std::string, std::string>& member) {
  Values values;
  const auto records = member.poll(0s).value();
  for (const auto& record : records) values.push_back(record.value());
  return values;
}

GroupOptions without_auto_commit() {
  GroupOptions options;
  options.auto_commit_interval = std::nullopt;
  return options;
}

}  // namespace

TEST_CASE("An abort that failed is done before the next transaction begins", "[transaction]") {
  Stand stand;
  auto producer = stand.producer();
  {
    auto transaction = producer.begin().value();
    REQUIRE(transaction.send(stand.topic, "k", "given up").get());
    stand.io.fail({.os_code = ENOSPC, .ops = {os::IoOp::write}, .path_suffix = ".log"});
    const auto aborted = transaction.abort();
    REQUIRE_FALSE(aborted);
    CHECK(aborted.error().code() == Errc::no_space);
  }
  auto transaction = producer.begin().value();
  REQUIRE(transaction.send(stand.topic, "k", "done again").get());
  REQUIRE(transaction.commit());
  CHECK(stand.committed() == Values{"done again"});
}

TEST_CASE("A producer goes on after a transaction that could not even begin", "[transaction]") {
  Stand stand;
  auto producer = stand.producer();
  {
    auto transaction = producer.begin().value();
    stand.io.fail({.os_code = ENOSPC,
                   .ops = {os::IoOp::write, os::IoOp::create, os::IoOp::create_directory},
                   .for_ever = true});
    const auto sent = transaction.send_offsets("g", "t", 0, Offset{1});
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code() == Errc::no_space);
    stand.io.heal();
    CHECK(transaction.abort());
  }
  auto transaction = producer.begin().value();
  REQUIRE(transaction.send(stand.topic, "k", "done").get());
  REQUIRE(transaction.commit());
  CHECK(stand.committed() == Values{"done"});
}

TEST_CASE("While an abort cannot be done no transaction begins", "[transaction]") {
  Stand stand;
  auto producer = stand.producer();
  auto transaction = producer.begin().value();
  REQUIRE(transaction.send(stand.topic, "k", "given up").get());
  const auto fail_next_write = [&] {
    stand.io.fail({.os_code = ENOSPC, .ops = {os::IoOp::write}, .path_suffix = ".log"});
  };
  fail_next_write();
  REQUIRE_FALSE(transaction.abort());
  fail_next_write();
  const auto refused = producer.begin();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::no_space);
  auto next = producer.begin().value();
  REQUIRE(next.send(stand.topic, "k", "done again").get());
  REQUIRE(next.commit());
  CHECK(stand.committed() == Values{"done again"});
}

TEST_CASE("A record that found no room keeps its transaction from being committed",
          "[transaction]") {
  const Stand stand;
  auto producer = stand.producer("p", {.linger = 1h, .buffer_bytes = 4096, .max_block = 0ms});
  auto transaction = producer.begin().value();
  const std::string value(1000, 'v');
  int refused = 0;
  for (int i = 0; i < 20; ++i) {
    const auto sent = transaction.send(stand.topic, "k", value);
    refused += sent.status() == SendStatus::back_pressure ? 1 : 0;
  }
  REQUIRE(refused > 0);
  const auto committed = transaction.commit();
  REQUIRE_FALSE(committed);
  CHECK(committed.error().code() == Errc::back_pressure);
  REQUIRE(transaction.abort());
  CHECK(stand.committed().empty());
}

TEST_CASE("However much was aborted, a poll that does not wait finds what is behind",
          "[transaction]") {
  const Stand stand;
  auto producer = stand.producer();
  {
    auto aborted = producer.begin().value();
    const std::string value(100, 'v');
    for (int i = 0; i < 30'000; ++i) aborted.send(stand.topic, "k", value);
    REQUIRE(aborted.abort());
  }
  Producer{stand.topic}.send("k", "behind").get().value();
  CHECK(stand.committed() == Values{"behind"});
}

TEST_CASE("A member that is out cannot send offsets, also where they are committed already",
          "[transaction]") {
  Stand stand;
  REQUIRE(Producer{stand.topic}.send("k", "once").get());
  const ConsumerGroup<std::string, std::string> group{stand.topic, "g", without_auto_commit()};
  auto zombie = group.join().value();
  REQUIRE(poll(zombie) == Values{"once"});
  stand.clock.advance(6min);  // more than max_poll_interval
  stand.broker.run_pending();
  auto heir = group.join().value();
  auto heirs = stand.producer("heir");
  {
    REQUIRE(poll(heir) == Values{"once"});
    auto transaction = heirs.begin().value();
    REQUIRE(heir.send_offsets_to(transaction));
    REQUIRE(transaction.commit());
  }
  auto zombies = stand.producer("zombie");
  auto transaction = zombies.begin().value();
  transaction.send(stand.topic, "k", "twice");
  CHECK_FALSE(zombie.send_offsets_to(transaction));
  CHECK_FALSE(transaction.commit());
}

TEST_CASE("A store does not go back to what it changed before", "[key_value_store]") {
  const Stand stand;
  auto mine = stand.producer("mine");
  auto theirs = stand.producer("theirs");
  auto store = Store::open(stand.broker, "state").value();
  const auto put = [&](std::int64_t value) {
    auto transaction = mine.begin().value();
    store.put(transaction, "k", value);
    REQUIRE(transaction.commit());
  };
  put(1);
  auto open = theirs.begin().value();
  REQUIRE(open.send(store.topic(), "other", 7).get());
  put(2);
  REQUIRE(store.refresh());
  CHECK(store.get("k") == 2);
  const auto early = Store::open(stand.broker, "state");
  REQUIRE_FALSE(early);
  CHECK(early.error().code() == Errc::concurrent_transactions);
  REQUIRE(open.commit());
  REQUIRE(store.refresh());
  CHECK(store.get("k") == 2);
  CHECK(store.get("other") == 7);
  CHECK(Store::open(stand.broker, "state").value().committed() == store.committed());
}

TEST_CASE("What failed while it was worked on is not committed on the way out",
          "[consumer_group]") {
  const Stand stand;
  Producer producer{stand.topic};
  for (const char* value : {"a", "b", "c"}) producer.send("k", value);
  REQUIRE(producer.flush());
  const ConsumerGroup<std::string, std::string> group{stand.topic, "g"};
  GroupOptions one_each;
  one_each.consumer.max_records = 1;
  const ConsumerGroup<std::string, std::string> slow{stand.topic, "g", one_each};
  {
    auto member = slow.join().value();
    REQUIRE(poll(member) == Values{"a"});
    REQUIRE(poll(member) == Values{"b"});  // its work fails: no leave()
  }
  {
    auto member = group.join().value();
    CHECK(poll(member) == Values{"b", "c"});
    REQUIRE(member.commit({"t", 0}, Offset{2}));
  }
  auto member = group.join().value();
  CHECK(poll(member) == Values{"c"});
}
