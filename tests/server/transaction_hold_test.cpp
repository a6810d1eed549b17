#include <future>
#include <millrace/coordinator/group_records.hpp>
#include <millrace/server/group_service.hpp>
#include <millrace/server/transaction_service.hpp>
#include <millrace/testing/manual_clock.hpp>

#include "catch.hpp"

using namespace millrace;
using namespace std::chrono_literals;
using coordinator::TransactionState;
using server::GroupService;
using server::TransactionService;

namespace {

/// A broker in memory with a topic "t", and a producer that has begun a transaction there.
struct Stand {
  testing::ManualClock clock;
  std::shared_ptr<engine::BrokerCore> broker;
  std::shared_ptr<TransactionService> service;
  coordinator::TransactionalProducerId producer;

  Stand() {
    engine::BrokerCoreOptions options;
    options.background_thread = false;
    options.clock = &clock;
    broker = engine::BrokerCore::open(":memory:", options).value();
    static_cast<void>(broker->create_topic("t", 1, {}).value());
    service = TransactionService::of(*broker).value();
    producer = {"p", service->init_producer({"p", 10s}).value()};
    REQUIRE(service->add_partitions(producer, {{"t", 0}}));
  }
  engine::Partition& partition() const { return *broker->topic("t").value()->partitions.front(); }
  void send() const {
    const auto& [id, epoch] = producer.producer;
    record::BatchBuilder builder({.transactional = true, .producer = {id, epoch, 0}});
    REQUIRE(builder.add(clock.now(), std::nullopt, as_bytes("v")));
    REQUIRE(partition().append(builder.finish().value()));
  }
  /// Whether what is sent from now on comes too late.
  void wait_until_ending() const {
    for (;;) {
      const auto held = service->hold(producer, {"t", 0});
      if (held) continue;
      CHECK(held.error().code() == Errc::concurrent_transactions);
      return;
    }
  }
};

coordinator::CommitRequest commit_of(std::string group, std::int64_t offset) {
  return {{std::move(group), {}, -1},
          {{{"t", 0}, {Offset{offset}, {}, "", Timestamp(1), std::nullopt}}}};
}

}  // namespace

TEST_CASE("A transaction can be held by its producer, where it was added, while it is open",
          "[transaction_hold]") {
  const Stand stand;
  CHECK(stand.service->hold(stand.producer, {"t", 0}));
  CHECK(stand.service->hold(stand.producer, {"t", 1}).error().code() ==
        Errc::invalid_transaction_state);
  auto other = stand.producer;
  ++other.producer.epoch;
  CHECK(stand.service->hold(other, {"t", 0}).error().code() == Errc::producer_fenced);
  other.transactional_id = "q";
  CHECK(stand.service->hold(other, {"t", 0}).error().code() == Errc::unknown_transactional_id);
  REQUIRE(stand.service->end(stand.producer, true));
  CHECK(stand.service->hold(stand.producer, {"t", 0}).error().code() ==
        Errc::invalid_transaction_state);
}

TEST_CASE("What goes into a transaction that is held comes before its end", "[transaction_hold]") {
  const Stand stand;
  const bool is_commit = GENERATE(true, false);
  auto held = stand.service->hold(stand.producer, {"t", 0}).value();
  auto ended =
      std::async(std::launch::async, [&] { return stand.service->end(stand.producer, is_commit); });
  stand.wait_until_ending();
  stand.send();
  held.reset();
  CHECK(ended.get());
  CHECK(stand.partition().log().open_transactions().empty());
  CHECK(stand.partition().log().log_end_offset() == Offset{2});
  CHECK(stand.partition().stable_end() == Offset{2});
  // The next one can be held again.
  REQUIRE(stand.service->add_partitions(stand.producer, {{"t", 0}}));
  CHECK(stand.service->hold(stand.producer, {"t", 0}));
}

TEST_CASE("Who is fenced cannot stop the transaction of the one that came after it",
          "[transaction_hold]") {
  const Stand stand;
  auto old = stand.producer;
  --old.producer.epoch;
  const auto held = stand.service->hold(stand.producer, {"t", 0}).value();
  CHECK(stand.service->end(old, true).error().code() == Errc::producer_fenced);
  CHECK(stand.service->hold(stand.producer, {"t", 0}));
}

TEST_CASE("Offsets are committed in a transaction to which their group was added",
          "[transaction_hold]") {
  const Stand stand;
  const auto groups = GroupService::of(*stand.broker).value();
  const auto commit = commit_of("g", 7);
  CHECK(stand.service->commit_added_offsets(stand.producer, commit).error().code() ==
        Errc::invalid_transaction_state);
  REQUIRE(stand.service->add_offsets(stand.producer, "g"));
  REQUIRE(stand.service->commit_added_offsets(stand.producer, commit));
  CHECK_FALSE(groups->committed("g", {"t", 0}));
  REQUIRE(stand.service->end(stand.producer, true));
  CHECK(groups->committed("g", {"t", 0}).value().offset == Offset{7});
}
