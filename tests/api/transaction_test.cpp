#include <millrace/engine/broker_core.hpp>
#include <millrace/millrace.hpp>
#include <millrace/testing/manual_clock.hpp>
#include <set>
#include <thread>

#include "catch.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace std::chrono_literals;
using test::TempDirectory;

namespace {

using TextTopic = Topic<std::string, std::string>;

/// A broker in memory, with a clock that stands still, and a topic "in" and one "out".
struct Stand {
  testing::ManualClock clock;
  Broker broker = Broker::open(":memory:", {.background_thread = false, .clock = &clock}).value();
  TextTopic in = broker.topic<std::string, std::string>("in", {.partitions = 2}).value();
  TextTopic out = broker.topic<std::string, std::string>("out", {.partitions = 2}).value();

  TransactionalProducer producer(const std::string& id = "p") const {
    return TransactionalProducer::open(broker, id, {.timeout = 10s}).value();
  }
};

std::multiset<std::string> read(const TextTopic& topic,
                                Isolation isolation = Isolation::read_committed) {
  Consumer consumer{topic, {.isolation = isolation}};
  std::multiset<std::string> values;
  for (;;) {
    auto records = consumer.poll(0s).value();
    const std::size_t before = values.size();
    for (const auto& record : records) values.insert(record.value());
    if (values.size() == before) return values;
  }
}

using Values = std::multiset<std::string>;

}  // namespace

TEST_CASE("What a transaction sends is seen when it is committed, in all topics", "[transaction]") {
  const Stand stand;
  auto producer = stand.producer();
  auto transaction = producer.begin().value();
  CHECK(transaction.send(stand.in, "k", "a").get());
  CHECK(transaction.send(stand.out, "k", "b").get());
  CHECK(read(stand.in).empty());
  CHECK(read(stand.out).empty());
  CHECK(read(stand.in, Isolation::read_uncommitted) == Values{"a"});
  REQUIRE(transaction.commit());
  CHECK(read(stand.in) == Values{"a"});
  CHECK(read(stand.out) == Values{"b"});
}

TEST_CASE("What was aborted is shown to those alone who ask for it", "[transaction]") {
  const Stand stand;
  auto producer = stand.producer();
  for (const char* value : {"a1", "c2", "a3", "c4"}) {
    auto transaction = producer.begin().value();
    transaction.send(stand.out, "k", value);
    REQUIRE((value[0] == 'c' ? transaction.commit() : transaction.abort()));
  }
  { producer.begin().value().send(stand.out, "k", "a5"); }
  CHECK(read(stand.out) == Values{"c2", "c4"});
  CHECK(read(stand.out, Isolation::read_uncommitted) == Values{"a1", "c2", "a3", "c4", "a5"});
}

TEST_CASE("An open transaction holds up what stands behind it, not what stands before",
          "[transaction]") {
  const Stand stand;
  const auto partition = stand.out.partition(0).value();
  REQUIRE(partition.append("k", "first"));
  auto producer = stand.producer();
  auto transaction = producer.begin().value();
  const std::string sent = "sent";
  REQUIRE(transaction.send_with(stand.out, {.partition = 0}, nullptr, &sent).get());
  REQUIRE(partition.append("k", "behind"));
  CHECK(read(stand.out) == Values{"first"});
  REQUIRE(transaction.abort());
  CHECK(read(stand.out) == Values{"first", "behind"});
}

TEST_CASE("A producer sends to partitions that were added after it was made", "[transaction]") {
  Stand stand;
  auto producer = stand.producer();
  const std::string before = "before";
  const std::string after = "after";
  auto transaction = producer.begin().value();
  REQUIRE(transaction.send_with(stand.out, {.partition = 1}, nullptr, &before).get());
  REQUIRE(stand.broker.add_partitions("out", 4));
  const auto grown = stand.broker.topic<std::string, std::string>("out").value();
  for (const PartitionId partition : {3, 1}) {
    const auto sent =
        transaction.send_with(grown, {.partition = partition}, nullptr, &after).get().value();
    CHECK(sent.partition == partition);
  }
  CHECK(read(grown).empty());
  REQUIRE(transaction.commit());
  CHECK(read(grown) == Values{before, after, after});
  transaction = producer.begin().value();
  REQUIRE(transaction.send_with(grown, {.partition = 3}, nullptr, &after).get());
  REQUIRE(transaction.send_with(grown, {.partition = 1}, nullptr, &after).get());
  REQUIRE(transaction.abort());
  CHECK(read(grown) == Values{before, after, after});
}

TEST_CASE("A producer does not keep topics that are gone, nor what they were", "[transaction]") {
  Stand stand;
  auto producer = stand.producer();
  const auto send = [&] {
    const auto topic = stand.broker.topic<std::string, std::string>("passing").value();
    auto transaction = producer.begin().value();
    REQUIRE(transaction.send(topic, "k", "v").get());
    REQUIRE(transaction.commit());
    return std::weak_ptr(topic.core());
  };
  const auto first = send();
  REQUIRE(stand.broker.add_partitions("passing", 2));
  const auto grown = send();
  // Its partitions stay the same: the producer goes on with their sequences.
  const std::weak_ptr partition = grown.lock()->partitions.front();
  REQUIRE(stand.broker.delete_topic("passing"));
  CHECK_FALSE(partition.expired());
  REQUIRE(producer.begin());
  CHECK(first.expired());
  CHECK(grown.expired());
  CHECK(partition.expired());
  CHECK_FALSE(send().expired());
}

TEST_CASE("A producer does not keep all that a topic was that is altered", "[transaction]") {
  Stand stand;
  auto producer = stand.producer();
  std::vector<std::weak_ptr<const engine::TopicCore>> handles;
  for (int i = 0; i < 100; ++i) {
    const auto topic = stand.broker.topic<std::string, std::string>("out").value();
    handles.push_back(topic.core());
    auto transaction = producer.begin().value();
    REQUIRE(transaction.send(topic, "k", "v").get());
    REQUIRE(transaction.commit());
    REQUIRE(stand.broker.alter_topic("out", {{"retention.ms", std::to_string(1'000'000 + i)}}));
  }
  const auto kept = std::count_if(handles.begin(), handles.end(),
                                  [](const auto& handle) { return !handle.expired(); });
  CHECK(kept < 20);
}

TEST_CASE("A consumer that waits is woken by a commit", "[transaction]") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = broker.topic<std::string, std::string>("t").value();
  auto producer = TransactionalProducer::open(broker, "p").value();
  auto transaction = producer.begin().value();
  REQUIRE(transaction.send(topic, "k", "v").get());
  std::size_t seen = 0;
  std::thread reader([&] {
    Consumer consumer{topic};
    const auto records = consumer.poll(1h).value();
    for (const auto& record : records) seen += record.value() == "v";
  });
  REQUIRE(transaction.commit());
  reader.join();
  CHECK(seen == 1);
}

TEST_CASE("Offsets count when the transaction is committed, and are read again if not",
          "[transaction]") {
  const Stand stand;
  Producer input{stand.in};
  for (const char* value : {"1", "2", "3"}) input.send("k", value);
  REQUIRE(input.flush());
  ConsumerGroup group{stand.in, "g", {.auto_commit_interval = std::nullopt}};
  auto member = group.join().value();
  auto producer = stand.producer();
  const auto step = [&](bool commits) {
    auto transaction = producer.begin().value();
    Values seen;
    for (const auto& record : member.poll(0s).value()) {
      seen.insert(record.value());
      transaction.send(stand.out, record.key(), record.value());
    }
    REQUIRE(member.send_offsets_to(transaction));
    REQUIRE((commits ? transaction.commit() : transaction.abort()));
    return seen;
  };
  while (member.assignment().empty()) REQUIRE(member.poll(0s));
  REQUIRE(member.rewind());
  CHECK(step(false) == Values{"1", "2", "3"});
  CHECK_FALSE(member.committed(member.assignment().front()).value());
  REQUIRE(member.rewind());
  CHECK(step(true) == Values{"1", "2", "3"});
  REQUIRE(member.rewind());
  CHECK(step(true) == Values{});
  CHECK(read(stand.out) == Values{"1", "2", "3"});
}

TEST_CASE("Offsets are not sent to a transaction beside auto-commit", "[transaction]") {
  const Stand stand;
  ConsumerGroup group{stand.in, "g"};
  auto member = group.join().value();
  auto producer = stand.producer();
  auto transaction = producer.begin().value();
  const auto refused = member.send_offsets_to(transaction);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::invalid_argument);
  CHECK_THAT(refused.error().message(), Catch::Matchers::Contains("auto_commit_interval"));
}

TEST_CASE("A new instance fences the one before, and aborts what that had begun", "[transaction]") {
  const Stand stand;
  auto old = stand.producer();
  auto transaction = old.begin().value();
  REQUIRE(transaction.send(stand.out, "k", "old").get());
  auto fresh = stand.producer();
  CHECK_FALSE(transaction.send(stand.out, "k", "late").get());
  const auto committed = transaction.commit();
  REQUIRE_FALSE(committed);
  CHECK(committed.error().code() == Errc::producer_fenced);
  CHECK_FALSE(transaction.is_open());
  auto next = fresh.begin().value();
  REQUIRE(next.send(stand.out, "k", "new").get());
  REQUIRE(next.commit());
  CHECK(read(stand.out) == Values{"new"});
}

TEST_CASE("A transaction whose time is out is aborted, and its producer fenced", "[transaction]") {
  Stand stand;
  auto producer = stand.producer();
  auto transaction = producer.begin().value();
  REQUIRE(
      transaction.send_with<std::string, std::string>(stand.out, {.partition = 0}, nullptr, nullptr)
          .get());
  REQUIRE(stand.out.partition(0).value().append("k", "behind"));
  stand.clock.advance(9s);
  stand.broker.run_pending();
  CHECK(read(stand.out).empty());
  stand.clock.advance(1s);
  stand.broker.run_pending();
  CHECK(read(stand.out) == Values{"behind"});
  CHECK(transaction.commit().error().code() == Errc::producer_fenced);
  CHECK(producer.begin().value().send(stand.out, "k", "v").get().error().code() ==
        Errc::producer_fenced);
}

TEST_CASE("One transaction at a time, each ended once", "[transaction]") {
  const Stand stand;
  auto producer = stand.producer();
  auto transaction = producer.begin().value();
  const auto second = producer.begin();
  REQUIRE_FALSE(second);
  CHECK(second.error().code() == Errc::invalid_transaction_state);
  REQUIRE(transaction.commit());
  CHECK(transaction.commit().error().code() == Errc::invalid_transaction_state);
  CHECK(transaction.abort().error().code() == Errc::invalid_transaction_state);
  CHECK(transaction.send(stand.out, "k", "v").get().error().code() ==
        Errc::invalid_transaction_state);
  CHECK(producer.begin());
}

TEST_CASE("A transaction of which a record could not be sent can only be aborted",
          "[transaction]") {
  const Stand stand;
  auto producer = stand.producer();
  auto transaction = producer.begin().value();
  transaction.send(stand.out, "k", "good");
  CHECK_FALSE(transaction.send(stand.out, "k", std::string(8 << 20, 'x')).get());
  CHECK_FALSE(transaction.commit());
  CHECK_FALSE(transaction.commit());
  REQUIRE(transaction.abort());
  CHECK(read(stand.out).empty());
}

TEST_CASE("Sequences go on over transactions, and over a new instance", "[transaction]") {
  const Stand stand;
  Values all;
  for (int instance = 0; instance < 3; ++instance) {
    auto producer = stand.producer();
    for (int i = 0; i < 20; ++i) {
      auto transaction = producer.begin().value();
      const std::string value = std::to_string(instance) + "-" + std::to_string(i);
      transaction.send(stand.out, value, value);
      REQUIRE((i % 3 == 0 ? transaction.abort() : transaction.commit()));
      if (i % 3 != 0) all.insert(value);
    }
  }
  CHECK(read(stand.out) == all);
}

TEST_CASE("What was open when the process ended is aborted when the directory is opened",
          "[transaction]") {
  const TempDirectory temp;
  {
    const auto broker = Broker::open(temp.path()).value();
    const auto topic = broker.topic<std::string, std::string>("t").value();
    auto producer = TransactionalProducer::open(broker, "p").value();
    auto transaction = producer.begin().value();
    REQUIRE(transaction.send(topic, "k", "committed").get());
    REQUIRE(transaction.commit());
    transaction = producer.begin().value();
    REQUIRE(transaction.send(topic, "k", "open").get());
    REQUIRE(broker.close());
  }
  const auto broker = Broker::open(temp.path()).value();
  const auto topic = broker.topic<std::string, std::string>("t").value();
  REQUIRE(topic.partition(0).value().append("k", "behind"));
  CHECK(read(topic) == Values{"committed", "behind"});
  CHECK(read(topic, Isolation::read_uncommitted) == Values{"committed", "open", "behind"});
}

TEST_CASE("An attachment reads committed records", "[transaction]") {
  const TempDirectory temp;
  const auto broker = Broker::open(temp.path()).value();
  const auto topic = broker.topic<std::string, std::string>("t").value();
  auto producer = TransactionalProducer::open(broker, "p").value();
  const auto attached = Broker::attach(temp.path()).value();
  const auto seen = attached.topic<std::string, std::string>("t").value();
  auto transaction = producer.begin().value();
  REQUIRE(transaction.send(topic, "k", "aborted").get());
  CHECK(read(seen).empty());
  REQUIRE(transaction.abort());
  transaction = producer.begin().value();
  REQUIRE(transaction.send(topic, "k", "committed").get());
  CHECK(read(seen).empty());
  REQUIRE(transaction.commit());
  CHECK(read(seen) == Values{"committed"});
  const auto refused = TransactionalProducer::open(attached, "p");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::read_only);
}

TEST_CASE("A partition passes on once the transaction with its offsets is over", "[transaction]") {
  const Stand stand;
  REQUIRE(stand.in.partition(0).value().append("k", "v"));
  ConsumerGroup group{stand.in, "g", {.auto_commit_interval = std::nullopt}};
  auto producer = stand.producer();
  auto transaction = producer.begin().value();
  {
    auto first = group.join().value();
    std::size_t seen = 0;
    while (seen == 0) {
      for (const auto& record : first.poll(0s).value()) seen += record.value() == "v";
    }
    REQUIRE(first.send_offsets_to(transaction));
  }
  auto second = group.join().value();
  while (second.assignment().size() < 2) REQUIRE(second.poll(0s));
  const auto read_second = [&] {
    std::size_t seen = 0;
    for (int i = 0; i < 3; ++i) {
      for (const auto& record : second.poll(0s).value()) seen += record.value() == "v";
    }
    return seen;
  };
  CHECK(read_second() == 0);
  const bool commits = GENERATE(true, false);
  REQUIRE((commits ? transaction.commit() : transaction.abort()));
  CHECK(read_second() == (commits ? 0 : 1));
}
