#include <millrace/millrace.hpp>
#include <millrace/testing/manual_clock.hpp>

#include "catch.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace std::chrono_literals;
using test::TempDirectory;

namespace {

/// A directory with a topic "in" that does not flush at once, and a topic "out" that does.
struct Stand {
  TempDirectory directory;
  mutable testing::ManualClock clock;
  Broker broker =
      Broker::open(directory.path(), {.background_thread = false, .clock = &clock}).value();
  Topic<std::string, std::string> in =
      broker.topic<std::string, std::string>("in", {.partitions = 2, .flush = flush::by_os{}})
          .value();
  Topic<std::string, std::string> out = broker.topic<std::string, std::string>("out").value();

  TransactionalProducer producer(const std::string& id) const {
    return TransactionalProducer::open(broker, id, {.timeout = 10s}).value();
  }
  /// What another process sees, a moment later.
  Transactions seen() const {
    clock.advance(100ms);
    broker.run_pending();
    return Transactions(Broker::attach(directory.path()).value());
  }
};

void send(Transaction& transaction, const Topic<std::string, std::string>& topic,
          PartitionId partition) {
  const std::string value = "v";
  REQUIRE(transaction.send_with(topic, {.partition = partition}, nullptr, &value).get());
}

}  // namespace

TEST_CASE("A directory without transactions has none, and gets nothing by being asked",
          "[transactions]") {
  const Stand stand;
  for (const Transactions& transactions : {Transactions(stand.broker), stand.seen()}) {
    CHECK(transactions.list().value().empty());
    CHECK(transactions.describe("p").error().code() == Errc::unknown_transactional_id);
    CHECK(transactions.abort("p").error().code() == Errc::unknown_transactional_id);
  }
  CHECK(stand.broker.topics().value().size() == 2);
}

TEST_CASE("Owner and other processes see each transaction in its state", "[transactions]") {
  const Stand stand;
  const Transactions own(stand.broker);
  auto first = stand.producer("a");
  auto second = stand.producer("b");
  stand.in.partition(1).value().append("k", "before").value();
  auto of_second = second.begin().value();
  send(of_second, stand.in, 1);
  auto of_first = first.begin().value();
  send(of_first, stand.in, 1);
  send(of_first, stand.out, 0);
  send(of_first, stand.in, 1);
  for (const Transactions& transactions : {own, stand.seen()}) {
    const auto all = transactions.list().value();
    REQUIRE(all.size() == 2);
    CHECK(all[0].transactional_id == "a");
    CHECK(all[0].state == TransactionState::ongoing);
    CHECK(all[0].is_open());
    CHECK(all[0].producer_id >= 0);
    CHECK(all[0].producer_epoch == 0);
    CHECK(all[0].timeout == 10s);
    CHECK(all[0].partitions == 2);
    CHECK(all[0].since() == all[0].started);
    CHECK(all[1].state == TransactionState::ongoing);
    CHECK(all[1].producer_id != all[0].producer_id);
    CHECK(all[1].partitions == 1);
    const auto described = transactions.describe("a").value();
    REQUIRE(described.partitions.size() == 2);
    CHECK(described.partitions[0].partition == TopicPartition{"in", 1});
    CHECK(described.partitions[0].first_offset == Offset{2});
    CHECK(described.partitions[1].partition == TopicPartition{"out", 0});
    CHECK(described.partitions[1].first_offset == Offset{0});
    CHECK(transactions.describe("b").value().partitions[0].first_offset == Offset{1});
  }
  REQUIRE(of_second.commit());
  // Its next one begins behind its own marker and the open one of the other.
  auto next = second.begin().value();
  send(next, stand.in, 1);
  for (const Transactions& transactions : {own, stand.seen()}) {
    CHECK(transactions.describe("a").value().partitions[0].first_offset == Offset{2});
    CHECK(transactions.describe("b").value().partitions[0].first_offset == Offset{5});
  }
  REQUIRE(of_first.abort());
  REQUIRE(next.commit());
  for (const Transactions& transactions : {own, stand.seen()}) {
    const auto all = transactions.list().value();
    CHECK(all[0].state == TransactionState::complete_abort);
    CHECK(all[1].state == TransactionState::complete_commit);
    CHECK_FALSE(all[0].is_open());
    CHECK(all[0].partitions == 0);
    CHECK(transactions.describe("a").value().partitions.empty());
  }
}

TEST_CASE("Who attaches sees a transaction soon after it began", "[transactions]") {
  const Stand stand;
  auto producer = stand.producer("a");
  REQUIRE(stand.seen().list().value().at(0).state == TransactionState::empty);
  auto transaction = producer.begin().value();
  const std::string value = "v";
  REQUIRE(transaction.send_with(stand.in, {.partition = 0}, nullptr, &value).get());
  CHECK(stand.seen().list().value().at(0).state == TransactionState::ongoing);
}

TEST_CASE("An operator's abort takes a transaction from its producer", "[transactions]") {
  const Stand stand;
  const Transactions transactions(stand.broker);
  auto producer = stand.producer("a");
  auto transaction = producer.begin().value();
  send(transaction, stand.in, 0);
  CHECK(stand.seen().abort("a").error().code() == Errc::read_only);
  REQUIRE(transactions.abort("a"));
  CHECK(transactions.list().value()[0].state == TransactionState::complete_abort);
  CHECK(stand.in.partition(0).value().offsets().end == Offset{2});  // with the marker
  CHECK(transaction.commit().error().code() == Errc::producer_fenced);
  CHECK(transactions.abort("a").error().code() == Errc::invalid_transaction_state);
  CHECK(transactions.abort("b").error().code() == Errc::unknown_transactional_id);
}

TEST_CASE("What a process that is gone had begun stays open until the directory has an owner",
          "[transactions]") {
  Stand stand;
  {
    auto producer = stand.producer("a");
    auto transaction = producer.begin().value();
    send(transaction, stand.in, 0);
    REQUIRE(stand.broker.close());
  }
  for (int i = 0; i < 2; ++i) {
    const auto described = stand.seen().describe("a").value();
    CHECK(described.summary.state == TransactionState::ongoing);
    CHECK(described.partitions.at(0).first_offset == Offset{0});
  }
  const auto broker = Broker::open(stand.directory.path()).value();
  const auto after = Transactions(broker).list().value();
  CHECK(after.at(0).state == TransactionState::complete_abort);
  CHECK(after[0].producer_epoch == 1);
}

TEST_CASE("Ids that only transactions know are not given out again when the file of ids is lost",
          "[transactions]") {
  Stand stand;
  static_cast<void>(stand.producer("a"));  // sends nothing, so no log knows its id
  REQUIRE(stand.broker.close());
  REQUIRE(boost::filesystem::remove(stand.directory / "producer-ids"));
  const auto broker = Broker::open(stand.directory.path()).value();
  REQUIRE(TransactionalProducer::open(broker, "b"));
  const auto all = Transactions(broker).list().value();
  REQUIRE(all.size() == 2);
  CHECK(all[0].producer_id != all[1].producer_id);
}
