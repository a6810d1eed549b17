#include <millrace/coordinator/transaction_records.hpp>
#include <millrace/server/group_service.hpp>
#include <millrace/server/transaction_service.hpp>
#include <millrace/storage/transaction_index.hpp>
#include <millrace/testing/faulty_io.hpp>
#include <millrace/testing/manual_clock.hpp>
#include <thread>

#include "catch.hpp"

using namespace millrace;
using namespace std::chrono_literals;
using coordinator::TransactionState;
using server::GroupService;
using server::TransactionService;

namespace {

/// A broker in memory with topics "t" and "u" of one partition.
struct Stand {
  testing::FaultyIo io;
  testing::ManualClock clock;
  std::vector<Error> reported;
  std::shared_ptr<engine::BrokerCore> broker;
  std::shared_ptr<TransactionService> service;

  explicit Stand(bool opens = true) {
    engine::BrokerCoreOptions options;
    options.background_thread = false;
    options.clock = &clock;
    options.io_hooks = &io;
    options.on_background_error = [this](const Error& error) { reported.push_back(error); };
    broker = engine::BrokerCore::open(":memory:", options).value();
    for (const char* name : {"t", "u"}) {
      static_cast<void>(broker->create_topic(name, 1, {}).value());
    }
    if (opens) service = TransactionService::of(*broker).value();
  }

  engine::Partition& partition(const char* topic) const {
    return *broker->topic(topic).value()->partitions.front();
  }
  coordinator::TransactionalProducerId open(const std::string& id = "p") const {
    return {id, service->init_producer({id, 10s}).value()};
  }
  /// A transaction with one record in "t" and one in "u".
  coordinator::TransactionalProducerId begin() const {
    const auto producer = open();
    REQUIRE(service->add_partitions(producer, {{"t", 0}, {"u", 0}}));
    send("t", producer.producer);
    send("u", producer.producer);
    return producer;
  }
  /// One with a record in "t" alone.
  coordinator::TransactionalProducerId begin_one() const {
    const auto producer = open();
    REQUIRE(service->add_partitions(producer, {{"t", 0}}));
    send("t", producer.producer);
    return producer;
  }
  /// How many transactions of a topic readers are told to leave out.
  std::size_t aborted(const char* topic) const {
    engine::Partition& of = partition(topic);
    return storage::find_aborted(of.source(), {Offset{0}, of.log().log_end_offset()})
        .value()
        .size();
  }
  void send(const char* topic, const coordinator::ProducerEpoch& producer) const {
    record::BatchBuilder builder(
        {.transactional = true, .producer = {producer.id, producer.epoch, 0}});
    REQUIRE(builder.add(clock.now(), std::nullopt, as_bytes("v")));
    const auto appended = partition(topic).append(builder.finish().value());
    REQUIRE(appended);
    REQUIRE(partition(topic).wait_acknowledged(appended->next_offset));
  }
  TransactionState state() const {
    TransactionState state{};
    service->look([&](const coordinator::TransactionCoordinator& all) {
      state = all.transaction("p")->state;
    });
    return state;
  }
  bool is_stable(const char* topic) const {
    return partition(topic).stable_end() == partition(topic).log().log_end_offset();
  }
  /// Once: who can neither write nor take back what was written has a log that failed.
  void fail_write_to(const char* topic) {
    io.fail({.os_code = ENOSPC,
             .ops = {os::IoOp::write},
             .path_suffix = std::string(topic) + "-0/00000000000000000000.log"});
  }
};

coordinator::CommitRequest commit_of(std::string group, std::int64_t offset) {
  return {{std::move(group), {}, -1},
          {{{"t", 0}, {Offset{offset}, {}, "", Timestamp(1), std::nullopt}}}};
}

}  // namespace

TEST_CASE("There is one transaction service a broker, made when it is needed",
          "[transaction_service]") {
  const Stand stand(false);
  CHECK(TransactionService::recover(*stand.broker));
  CHECK_FALSE(stand.broker->topic(coordinator::transactions_topic));
  const auto service = TransactionService::of(*stand.broker).value();
  CHECK(TransactionService::of(*stand.broker).value() == service);
  const auto topic = stand.broker->topic(coordinator::transactions_topic).value();
  CHECK(topic->entry.config.at("cleanup.policy") == "compact");
}

TEST_CASE("What is open in a partition and known to nobody is aborted", "[transaction_service]") {
  const Stand stand(false);
  stand.send("t", {77, 3});
  CHECK_FALSE(stand.is_stable("t"));
  static_cast<void>(TransactionService::of(*stand.broker).value());
  CHECK(stand.is_stable("t"));
  CHECK(stand.partition("t").log().open_transactions().empty());
}

TEST_CASE("There are no transactions before what was left open is aborted",
          "[transaction_service]") {
  Stand stand(false);
  stand.send("t", {77, 3});
  stand.fail_write_to("t");
  CHECK(TransactionService::of(*stand.broker).error().code() == Errc::no_space);
  CHECK_FALSE(stand.is_stable("t"));
  REQUIRE(TransactionService::of(*stand.broker));
  CHECK(stand.is_stable("t"));
}

TEST_CASE("Markers that could not be written come later", "[transaction_service]") {
  Stand stand;
  const auto producer = stand.begin();
  stand.fail_write_to("u");
  REQUIRE(stand.service->end(producer, true));
  CHECK(stand.state() == TransactionState::prepare_commit);
  CHECK(stand.is_stable("t"));
  CHECK_FALSE(stand.is_stable("u"));
  REQUIRE(stand.reported.size() == 1);
  CHECK(stand.reported.front().code() == Errc::no_space);
  SECTION("by themselves") {
    stand.clock.advance(1s);
    stand.broker->run_pending();
  }
  SECTION("when they are in somebody's way") {
    REQUIRE(stand.service->add_partitions(producer, {{"t", 0}}));
    CHECK(stand.state() == TransactionState::ongoing);
    REQUIRE(stand.service->end(producer, true));
  }
  CHECK(stand.is_stable("u"));
  CHECK(stand.state() == TransactionState::complete_commit);
}

TEST_CASE("A decision that cannot be written is none", "[transaction_service]") {
  Stand stand;
  const auto producer = stand.begin();
  stand.io.fail({.os_code = ENOSPC, .ops = {os::IoOp::write}, .path_suffix = ".log"});
  const auto refused = stand.service->end(producer, true);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::no_space);
  CHECK(refused.error().topic() == coordinator::transactions_topic);
  CHECK(stand.state() == TransactionState::ongoing);
  CHECK_FALSE(stand.is_stable("t"));
  REQUIRE(stand.service->end(producer, true));
  CHECK(stand.is_stable("t"));
}

TEST_CASE("With one partition, the marker there decides", "[transaction_service]") {
  Stand stand;
  const auto producer = stand.open();
  REQUIRE(stand.service->add_partitions(producer, {{"t", 0}}));
  stand.send("t", producer.producer);
  SECTION("whether or not anything else can be written") {
    stand.io.fail({.os_code = ENOSPC,
                   .ops = {os::IoOp::write},
                   .path_suffix = "__transaction_state-" +
                                  std::to_string(coordinator::coordinator_partition("p", 4)) +
                                  "/00000000000000000000.log",
                   .for_ever = true});
    REQUIRE(stand.service->end(producer, true));
    CHECK(stand.is_stable("t"));
    CHECK(stand.state() == TransactionState::complete_commit);
  }
  SECTION("and if it cannot be written, nothing is") {
    stand.fail_write_to("t");
    CHECK(stand.service->end(producer, true).error().code() == Errc::no_space);
    CHECK(stand.state() == TransactionState::ongoing);
    CHECK_FALSE(stand.is_stable("t"));
    REQUIRE(stand.service->end(producer, true));
    CHECK(stand.is_stable("t"));
  }
}

TEST_CASE("Nobody ends a transaction whose marker may be in a log that failed",
          "[transaction_service]") {
  Stand stand;
  const auto producer = stand.begin_one();
  stand.io.fail({.ops = {os::IoOp::sync_data, os::IoOp::sync_range},
                 .path_suffix = "t-0/00000000000000000000.log"});
  const auto committed = stand.service->end(producer, true);
  REQUIRE_FALSE(committed);
  CHECK(committed.error().code() == Errc::log_failed);
  CHECK(committed.error().topic() == "t");
  CHECK(stand.service->end(producer, false).error().code() == Errc::log_failed);
  CHECK(stand.service->abort("p").error().code() == Errc::log_failed);
  CHECK(stand.service->add_partitions(producer, {{"u", 0}}).error().code() == Errc::log_failed);
  CHECK(stand.service->init_producer({"p", 10s}).error().code() == Errc::log_failed);
  stand.clock.advance(1h);
  stand.broker->run_pending();
  CHECK(stand.state() == TransactionState::ongoing);
  CHECK(stand.service->init_producer({"q", 10s}));
}

TEST_CASE("Of a commit whose data is not all there any more, none is seen",
          "[transaction_service]") {
  Stand stand(false);
  stand.send("t", {77, 3});
  stand.send("u", {77, 3});
  const auto topic =
      stand.broker
          ->create_topic(coordinator::transactions_topic, 1, {{"cleanup.policy", "compact"}})
          .value();
  coordinator::Transaction decided;
  decided.producer = {77, 3};
  decided.state = TransactionState::prepare_commit;
  decided.partitions = {{"t", 0}, {"u", 0}};
  decided.ends = {{{"t", 0}, Offset{1}}, {{"u", 0}, Offset{2}}};
  const auto record = coordinator::transaction_record("p", decided);
  record::BatchBuilder batch;
  REQUIRE(batch.add(stand.clock.now(), Bytes(record.key), Bytes(*record.value)));
  const auto appended = topic->partitions[0]->append(batch.finish().value());
  REQUIRE(topic->partitions[0]->wait_acknowledged(appended->next_offset));
  stand.service = TransactionService::of(*stand.broker).value();
  CHECK(stand.is_stable("t"));
  CHECK(stand.is_stable("u"));
  CHECK(stand.aborted("t") == 0);
  CHECK(stand.aborted("u") == 1);
}

TEST_CASE("What cannot be written of one transactional id holds up no other",
          "[transaction_service]") {
  Stand stand;
  const auto topic = stand.broker->topic(coordinator::transactions_topic).value();
  const auto place = [](const std::string& id) {
    return static_cast<std::size_t>(coordinator::coordinator_partition(id, 4));
  };
  std::string other = "q";
  while (place(other) == place("p")) other += "q";
  for (const auto& producer : {stand.open("p"), stand.open(other)}) {
    REQUIRE(stand.service->add_partitions(producer, {{"t", 0}}));
  }
  const Offset before = topic->partitions[place(other)]->log().log_end_offset();
  stand.io.fail({.os_code = ENOSPC,
                 .ops = {os::IoOp::write},
                 .path_suffix = "__transaction_state-" + std::to_string(place("p")) +
                                "/00000000000000000000.log",
                 .for_ever = true});
  stand.clock.advance(100ms);
  stand.broker->run_pending();
  CHECK(stand.reported.size() == 1);
  CHECK(topic->partitions[place(other)]->log().log_end_offset() == before + 1);
}

TEST_CASE("A commit is as durable as the strictest of its topics", "[transaction_service]") {
  Stand stand;
  for (const char* name : {"v", "w"}) {
    static_cast<void>(
        stand.broker->create_topic(name, 1, {{"millrace.flush.policy", "by_os"}}).value());
  }
  const auto producer = stand.open();
  const auto syncs = [&] {
    return stand.io.calls(os::IoOp::sync_data) + stand.io.calls(os::IoOp::sync_range);
  };
  const auto syncs_of = [&](const std::vector<coordinator::TopicPartition>& places) {
    REQUIRE(stand.service->add_partitions(producer, places));
    const auto before = syncs();
    REQUIRE(stand.service->end(producer, true));
    return syncs() - before;
  };
  syncs_of({{"t", 0}, {"v", 0}, {"w", 0}});  // their first segments are made
  CHECK(syncs_of({{"v", 0}}) == 0);
  CHECK(syncs_of({{"v", 0}, {"w", 0}}) == 0);
  CHECK(syncs_of({{"t", 0}}) == 1);
  CHECK(syncs_of({{"t", 0}, {"v", 0}}) >= 3);
}

TEST_CASE("What a transaction was is written when nobody waits", "[transaction_service]") {
  Stand stand;
  const auto topic = stand.broker->topic(coordinator::transactions_topic).value();
  const auto size = [&] {
    std::int64_t records = 0;
    for (const auto& partition : topic->partitions) {
      records += partition->log().log_end_offset().value();
    }
    return records;
  };
  const auto producer = stand.open();
  const auto before = size();
  for (int i = 0; i < 5; ++i) {
    REQUIRE(stand.service->add_partitions(producer, {{"t", 0}}));
    REQUIRE(stand.service->end(producer, true));
  }
  CHECK(size() == before);
  SECTION("soon") {
    stand.clock.advance(100ms);
    stand.broker->run_pending();
  }
  SECTION("again, if it could not be") {
    stand.io.fail({.os_code = ENOSPC, .ops = {os::IoOp::write}, .path_suffix = ".log"});
    stand.clock.advance(100ms);
    stand.broker->run_pending();
    CHECK(stand.reported.size() == 1);
    CHECK(size() == before);
    stand.clock.advance(1s);
    stand.broker->run_pending();
  }
  CHECK(size() == before + 1);
}

TEST_CASE("A topic that is deleted is no part of a transaction any more", "[transaction_service]") {
  Stand stand;
  const auto producer = stand.begin();
  REQUIRE(stand.broker->delete_topic("u"));
  REQUIRE(stand.service->end(producer, true));
  CHECK(stand.state() == TransactionState::complete_commit);
  CHECK(stand.is_stable("t"));
  CHECK(stand.reported.empty());
}

TEST_CASE("Offsets of a transaction count when it is committed, and not before",
          "[transaction_service]") {
  Stand stand;
  const auto groups = GroupService::of(*stand.broker).value();
  const coordinator::TopicPartition place{"t", 0};
  const auto producer = stand.open();
  const bool commits = GENERATE(true, false);
  REQUIRE(stand.service->commit_offsets(producer, commit_of("g", 5)));
  CHECK_FALSE(groups->committed("g", place));
  CHECK(groups->has_pending("g", place));
  CHECK(groups->remove_group("g").error().code() == Errc::group_not_empty);
  REQUIRE(stand.service->end(producer, commits));
  CHECK_FALSE(groups->has_pending("g", place));
  CHECK(groups->committed("g", place).has_value() == commits);
}

TEST_CASE("A commit outside of the transaction that came later is the one that counts",
          "[transaction_service]") {
  Stand stand;
  const auto groups = GroupService::of(*stand.broker).value();
  const auto producer = stand.open();
  REQUIRE(stand.service->commit_offsets(producer, commit_of("g", 5)));
  REQUIRE(groups->commit(commit_of("g", 9)));
  REQUIRE(stand.service->end(producer, true));
  CHECK(groups->committed("g", {"t", 0})->offset == Offset{9});
}

TEST_CASE("An open transaction can be taken from its producer", "[transaction_service]") {
  Stand stand;
  const auto producer = stand.begin();
  REQUIRE(stand.service->abort("p"));
  CHECK(stand.is_stable("t"));
  CHECK(stand.service->end(producer, true).error().code() == Errc::producer_fenced);
  CHECK(stand.service->abort("p").error().code() == Errc::invalid_transaction_state);
  CHECK(stand.service->abort("q").error().code() == Errc::unknown_transactional_id);
}

TEST_CASE("Many producers commit at once", "[transaction_service]") {
  Stand stand;
  std::vector<std::thread> threads;
  std::atomic<int> failed{0};
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      const auto producer = stand.open("p" + std::to_string(i));
      for (int round = 0; round < 30; ++round) {
        const bool good = stand.service->add_partitions(producer, {{"t", 0}, {"u", 0}}) &&
                          stand.service->commit_offsets(producer, commit_of("g", round)) &&
                          stand.service->end(producer, round % 3 != 0);
        failed += good ? 0 : 1;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(failed == 0);
  CHECK(GroupService::of(*stand.broker).value()->committed("g", {"t", 0})->offset == Offset{29});
}
