#include <millrace/millrace.hpp>

#include "catch.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace std::chrono_literals;
using test::TempDirectory;

namespace {

using Store = KeyValueStore<std::string, std::int64_t>;

GroupOptions without_auto_commit() {
  GroupOptions options;
  options.auto_commit_interval = std::nullopt;
  return options;
}

}  // namespace

TEST_CASE("A store has what was committed, and what its transaction has changed",
          "[key_value_store]") {
  const auto broker = Broker::open(":memory:").value();
  auto producer = TransactionalProducer::open(broker, "p").value();
  auto store = Store::open(broker, "state").value();
  auto transaction = producer.begin().value();
  store.put(transaction, "a", 1);
  store.put(transaction, "b", 2);
  CHECK(store.get("a") == 1);
  CHECK(store.committed().empty());
  REQUIRE(transaction.commit());
  CHECK(store.committed() == std::map<std::string, std::int64_t>{{"a", 1}, {"b", 2}});

  transaction = producer.begin().value();
  store.put(transaction, "a", 10);
  store.remove(transaction, "b");
  CHECK(store.get("a") == 10);
  CHECK_FALSE(store.get("b"));
  const bool commits = GENERATE(true, false);
  REQUIRE((commits ? transaction.commit() : transaction.abort()));
  CHECK(store.get("a") == (commits ? 10 : 1));
  CHECK(store.get("b").has_value() == !commits);
  REQUIRE(store.refresh());
  CHECK(Store::open(broker, "state").value().committed() == store.committed());
}

TEST_CASE("A store is kept in a compacted topic or not at all", "[key_value_store]") {
  const auto broker = Broker::open(":memory:").value();
  broker.create_topic("t").value();
  const auto refused = Store::open(broker, "t");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::invalid_argument);
  CHECK_THAT(refused.error().message(), Catch::Matchers::Contains("cleanup.policy"));
}

TEST_CASE("Stores of one partition each do not see each other", "[key_value_store]") {
  const auto broker = Broker::open(":memory:").value();
  auto producer = TransactionalProducer::open(broker, "p").value();
  auto first = Store::open(broker, "state", {.partitions = 2, .partition = 0}).value();
  auto second = Store::open(broker, "state", {.partition = 1}).value();
  auto transaction = producer.begin().value();
  first.put(transaction, "k", 1);
  second.put(transaction, "k", 2);
  REQUIRE(transaction.commit());
  REQUIRE(first.refresh());
  REQUIRE(second.refresh());
  CHECK(first.get("k") == 1);
  CHECK(second.get("k") == 2);
  CHECK(Store::open(broker, "state", {.partition = 2}).error().code() == Errc::unknown_partition);
}

TEST_CASE("Each record is handled exactly once, whatever its handler says", "[key_value_store]") {
  const TempDirectory temp;
  std::int64_t expected = 0;
  for (int instance = 0; instance < 3; ++instance) {
    const auto broker = Broker::open(temp.path()).value();
    const auto in = broker.topic<std::string, std::int64_t>("in", {.partitions = 2}).value();
    const auto out = broker.topic<std::string, std::int64_t>("out").value();
    auto producer = TransactionalProducer::open(broker, "p").value();
    auto store = Store::open(broker, "state").value();
    CHECK(store.get("sum").value_or(0) == expected);
    Producer input{in};
    for (std::int64_t i = 1; i <= 50; ++i) {
      input.send(std::to_string(i), i);
      expected += i;
    }
    REQUIRE(input.flush());
    auto options = without_auto_commit();
    options.consumer.max_records = 7;
    ConsumerGroup group{in, "g", options};
    auto member = group.join().value();
    int calls = 0;
    for (int idle = 0; idle < 5;) {
      const auto handled = process_exactly_once(
          member, producer, 0ns, [&](const auto& record, Transaction& transaction) -> Result<void> {
            const std::int64_t sum = store.get("sum").value_or(0) + record.value();
            store.put(transaction, "sum", sum);
            transaction.send(out, record.key(), sum);
            if (++calls % 11 == 0) return Error(Errc::serialization, "not this time");
            return {};
          });
      CHECK((handled || handled.error().code() == Errc::serialization));
      idle = handled && *handled == 0 ? idle + 1 : 0;
    }
    CHECK(store.get("sum") == expected);
    Consumer consumer{out, {.max_records = 1'000}};
    std::int64_t last = 0;
    const auto sums = consumer.poll(0s).value();
    for (const auto& record : sums) last = record.value();
    CHECK(last == expected);
    REQUIRE(member.leave());
    REQUIRE(broker.close());
  }
}
