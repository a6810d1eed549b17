#include "transaction_fixture.hpp"

using namespace millrace_test;
using namespace std::chrono_literals;
using Until = coordinator::TransactionWrite::Until;

namespace {

const TopicPartition t0{"t", 0};
const TopicPartition t1{"t", 1};
const millrace::Error no_space{Errc::no_space, "the disk is full"};

}  // namespace

TEST_CASE("A transaction goes from its first partition to its last marker", "[transactions]") {
  TransactionWorld world;
  const auto producer = world.open();
  CHECK(producer == ProducerEpoch{1001, 0});
  CHECK(world.state() == TransactionState::empty);
  CHECK(world.is_good(world.add(producer, {t0})));
  CHECK(world.is_good(world.add(producer, {t1, t0})));
  CHECK(world.state() == TransactionState::ongoing);
  CHECK(world->owns(producer.id, t1, millrace::Offset{7}));
  CHECK(world->verify({"p", producer}, t1));
  const bool commits = GENERATE(true, false);
  CHECK(world.is_good(world.end(producer, commits)));
  CHECK(world.state() ==
        (commits ? TransactionState::complete_commit : TransactionState::complete_abort));
  CHECK(world.markers == std::vector<TransactionWorld::Marker>{{t0, commits}, {t1, commits}});
  CHECK(world.untils == std::vector<Until>{Until::synced, Until::eventually, Until::eventually,
                                           Until::synced, Until::eventually});
  CHECK(world->verify({"p", producer}, t1).error().code() == Errc::invalid_transaction_state);
}

TEST_CASE("Asking for the outcome that it had succeeds, for the other one fails",
          "[transactions]") {
  TransactionWorld world;
  const auto producer = world.open();
  CHECK(world.code(world.end(producer, true)) == Errc::invalid_transaction_state);
  world.add(producer, {t0});
  REQUIRE(world.is_good(world.end(producer, true)));
  CHECK(world.is_good(world.end(producer, true)));
  CHECK(world.code(world.end(producer, false)) == Errc::invalid_transaction_state);
  CHECK(world.markers.size() == 1);
}

TEST_CASE("Kafka's clients are answered when the outcome is durable", "[transactions]") {
  TransactionWorld world;
  const auto producer = world.open();
  world.add(producer, {t0});
  world.holds_writes = world.holds_markers = true;
  const auto ended = world.end(producer, true, false);
  CHECK(world.reply(ended) == nullptr);
  CHECK(world.code(world.add(producer, {t1})) == Errc::concurrent_transactions);
  world.end_writes();
  CHECK(world.is_good(ended));
  CHECK(world.state() == TransactionState::prepare_commit);
  CHECK(world.code(world.end(producer, true, false)) == Errc::concurrent_transactions);
  CHECK(world.code(world.end(producer, false, false)) == Errc::invalid_transaction_state);
  const auto waits = world.end(producer, true);
  world.end_markers();
  CHECK(world.reply(waits) == nullptr);
  world.end_writes();
  CHECK(world.is_good(waits));
}

TEST_CASE("A new instance gets the next epoch; the one before is fenced", "[transactions]") {
  TransactionWorld world;
  const auto old = world.open();
  world.add(old, {t0});
  const auto fresh = world.open();
  CHECK(fresh == ProducerEpoch{old.id, 2});
  CHECK(world.markers == std::vector<TransactionWorld::Marker>{{t0, false}});
  CHECK(world.marked_by.front() == ProducerEpoch{old.id, 1});
  CHECK(world.code(world.add(old, {t0})) == Errc::producer_fenced);
  CHECK(world.code(world.end(old, true)) == Errc::producer_fenced);
  CHECK(world.is_good(world.add(fresh, {t0})));
}

TEST_CASE("A client that does not wait is told to come again", "[transactions]") {
  TransactionWorld world;
  const auto old = world.open();
  world.add(old, {t0});
  world.holds_markers = true;
  const auto first = world.init({"p", 10s, {}, false});
  REQUIRE(world.init_reply(first) != nullptr);
  CHECK(world.init_reply(first)->answer.error().code() == Errc::concurrent_transactions);
  CHECK(world.init_reply(world.init({"p", 10s, {}, false}))->answer.error().code() ==
        Errc::concurrent_transactions);
  const auto parked = world.init({"p", 10s, {}, true});
  CHECK(world.init_reply(parked) == nullptr);
  world.end_markers();
  CHECK(world.init_reply(parked)->answer.value() == ProducerEpoch{old.id, 2});
}

TEST_CASE("A producer goes on by itself if it is the last one (KIP-360)", "[transactions]") {
  TransactionWorld world;
  const auto first = world.open();
  const auto second = world.init_reply(world.init({"p", 10s, first}))->answer.value();
  CHECK(second == ProducerEpoch{first.id, 1});
  CHECK(world.init_reply(world.init({"p", 10s, first}))->answer.value() == second);
  world.open();
  CHECK(world.init_reply(world.init({"p", 10s, second}))->answer.error().code() ==
        Errc::producer_fenced);
}

TEST_CASE("At the end of the epochs a transactional id gets a new producer id", "[transactions]") {
  TransactionWorld world;
  for (int epoch = 0; epoch <= TransactionCoordinator::largest_epoch; ++epoch) {
    world.log.clear();
    REQUIRE(world.open() == ProducerEpoch{1001, static_cast<std::int16_t>(epoch)});
  }
  const ProducerEpoch last{1001, TransactionCoordinator::largest_epoch};
  REQUIRE(world.is_good(world.add(last, {t0})));
  CHECK(world.open() == ProducerEpoch{1002, 0});
  CHECK(world.marked_by.front() == ProducerEpoch{1001, 32767});
}

TEST_CASE("A transaction is aborted when its time is out", "[transactions]") {
  TransactionWorld world;
  const auto producer = world.open();
  world.pass(1h);
  world.add(producer, {t0});
  world.pass(9'999ms);
  CHECK(world.state() == TransactionState::ongoing);
  world.pass(1ms);
  CHECK(world.state() == TransactionState::complete_abort);
  CHECK(world.marked_by.front() == ProducerEpoch{producer.id, 1});
  CHECK(world.code(world.end(producer, true)) == Errc::producer_fenced);
  CHECK(world.markers == std::vector<TransactionWorld::Marker>{{t0, false}});
}

TEST_CASE("Whoever runs the broker may abort a transaction", "[transactions]") {
  TransactionWorld world;
  const auto producer = world.open();
  CHECK(world.code(world.abort("q")) == Errc::unknown_transactional_id);
  CHECK(world.code(world.abort("p")) == Errc::invalid_transaction_state);
  world.add(producer, {t0});
  CHECK(world.is_good(world.abort("p")));
  CHECK(world.code(world.end(producer, true)) == Errc::producer_fenced);
}

TEST_CASE("Markers that cannot be written are tried again; the outcome stands", "[transactions]") {
  TransactionWorld world;
  const auto producer = world.open();
  world.add(producer, {t0, t1});
  world.holds_markers = true;
  const auto ended = world.end(producer, true);
  const auto parked = world.init({"p", 10s, {}, true});
  world.end_markers({t1});
  CHECK(world.is_good(ended));
  CHECK(world.init_reply(parked)->answer.error().code() == Errc::concurrent_transactions);
  CHECK(world.state() == TransactionState::prepare_commit);
  world.pass(1s);
  REQUIRE(world.held_markers.size() == 1);
  CHECK(world.held_markers.front().partitions == std::vector{t1});
  world.end_markers({t1});
  // Whoever needs it does not wait for the time.
  CHECK(world.code(world.add(producer, {t0})) == Errc::concurrent_transactions);
  world.end_markers();
  CHECK(world.state() == TransactionState::complete_commit);
  CHECK(world.markers == std::vector<TransactionWorld::Marker>{{t0, true}, {t1, true}});
}

TEST_CASE("A write that fails changes nothing", "[transactions]") {
  TransactionWorld world;
  world.holds_writes = true;
  const auto opened = world.init({"p", 10s});
  world.end_writes(no_space);
  CHECK(world.init_reply(opened)->answer.error().code() == Errc::no_space);
  CHECK(world->transaction("p") == nullptr);
  world.holds_writes = false;
  const auto producer = world.open();
  world.holds_writes = true;
  const auto added = world.add(producer, {t0});
  world.end_writes(no_space);
  CHECK(world.code(added) == Errc::no_space);
  CHECK(world.state() == TransactionState::empty);
  world.holds_writes = false;
  world.add(producer, {t0});
  world.holds_writes = true;
  const auto ended = world.end(producer, true);
  world.end_writes(no_space);
  CHECK(world.code(ended) == Errc::no_space);
  CHECK(world.state() == TransactionState::ongoing);
  CHECK(world.markers.empty());
  world.holds_writes = false;
  CHECK(world.is_good(world.end(producer, true)));
}

TEST_CASE("A fence that could not be written keeps its epoch, and is tried again",
          "[transactions]") {
  TransactionWorld world;
  const auto producer = world.open();
  world.add(producer, {t0});
  world.holds_writes = true;
  const auto parked = world.init({"p", 10s, {}, true});
  world.end_writes(no_space);
  CHECK(world.init_reply(parked)->answer.error().code() == Errc::no_space);
  CHECK(world.code(world.end(producer, true)) == Errc::producer_fenced);
  world.pass(10s);
  REQUIRE(world.held.size() == 1);
  world.holds_writes = false;
  world.end_writes();
  CHECK(world.marked_by.front() == ProducerEpoch{producer.id, 1});
}

TEST_CASE("After a restart what was decided is finished, what was not is aborted",
          "[transactions]") {
  TransactionWorld world;
  const auto producer = world.open();
  world.add(producer, {t0, t1});
  const bool decided = GENERATE(true, false);
  if (decided) {
    world.holds_markers = true;
    world.end(producer, true);
    world.end_markers({t1});
    world.holds_markers = false;
  }
  world.markers.clear();
  world.restart();
  CHECK(world.markers == std::vector<TransactionWorld::Marker>{{t0, decided}, {t1, decided}});
  CHECK(world.marked_by.back().epoch == (decided ? 0 : 1));
  CHECK(world.open().epoch == (decided ? 1 : 2));
}

TEST_CASE("A decision says where its data ends, also after a restart", "[transactions]") {
  TransactionWorld world;
  const auto producer = world.open();
  world.add(producer, {t0, t1});
  world.holds_markers = true;
  const coordinator::DataEnds ends = {{t0, millrace::Offset{5}}, {t1, millrace::Offset{9}}};
  world.end(coordinator::EndTransactionRequest{{"p", producer}, true, true, ends});
  world.restart();
  REQUIRE(world.held_markers.size() == 1);
  CHECK(world.held_markers.front().ends == ends);
  CHECK(world->owns(producer.id, t0, millrace::Offset{4}));
  CHECK_FALSE(world->owns(producer.id, t0, millrace::Offset{5}));
  world.end_markers();
  CHECK(world->transaction("p")->ends.empty());
}

TEST_CASE("The marker of a single partition can decide", "[transactions]") {
  TransactionWorld world;
  const auto producer = world.open();
  world.add(producer, {t0});
  world.holds_markers = true;
  const coordinator::EndTransactionRequest request{
      {"p", producer}, true, true, {{t0, millrace::Offset{5}}}, true};
  const auto ended = world.end(request);
  REQUIRE(world.held_markers.size() == 1);
  CHECK(world.held_markers.front().decides);
  CHECK(world.state() == TransactionState::ongoing);
  CHECK(world.code(world.add(producer, {t1})) == Errc::concurrent_transactions);
  CHECK(world.code(world.end(producer, false)) == Errc::concurrent_transactions);
  const auto parked = world.init({"p", 10s, {}, true});
  SECTION("and has") {
    world.end_markers();
    CHECK(world.is_good(ended));
    CHECK(world.init_reply(parked)->answer.value() == ProducerEpoch{producer.id, 1});
    CHECK(world.markers == std::vector<TransactionWorld::Marker>{{t0, true}});
  }
  SECTION("and has not, if it could not be written") {
    world.end_markers({t0});
    CHECK(world.code(ended) == Errc::no_space);
    CHECK(world.init_reply(parked)->answer.error().code() == Errc::no_space);
    CHECK(world.state() == TransactionState::ongoing);
    world.holds_markers = false;
    CHECK(world.is_good(world.end(producer, false)));
    CHECK(world.markers == std::vector<TransactionWorld::Marker>{{t0, false}});
  }
}

TEST_CASE("With two partitions a marker cannot decide", "[transactions]") {
  TransactionWorld world;
  const auto producer = world.open();
  world.add(producer, {t0, t1});
  const auto ended = world.end(coordinator::EndTransactionRequest{
      {"p", producer}, true, true, {{t0, millrace::Offset{5}}}, true});
  CHECK(world.code(ended) == Errc::concurrent_transactions);
  CHECK(world.state() == TransactionState::ongoing);
}

TEST_CASE("What need not be durable is appended", "[transactions]") {
  TransactionWorld world;
  const auto producer = world.open();
  world.add(producer, {t0, t1});
  world.holds_markers = true;
  world.end(coordinator::EndTransactionRequest{{"p", producer}, true, true, {}, false, false});
  CHECK(world.untils.back() == Until::appended);
  CHECK_FALSE(world.held_markers.front().is_durable);
  world.end_markers();
  world.add(producer, {t0});
  world.end(producer, true);
  CHECK(world.held_markers.front().is_durable);
}

TEST_CASE("Where producers outlive the coordinator, a transaction keeps its time",
          "[transactions]") {
  coordinator::TransactionCoordinatorOptions options;
  options.aborts_when_loaded = false;
  TransactionWorld world(options);
  const auto producer = world.open();
  world.add(producer, {t0});
  world.pass(4s);
  world.restart();
  CHECK(world.state() == TransactionState::ongoing);
  world.pass(5'999ms);
  CHECK(world.is_good(world.add(producer, {t1})));
  world.pass(1ms);
  CHECK(world.state() == TransactionState::complete_abort);
}

TEST_CASE("A transactional id that is not used expires", "[transactions]") {
  TransactionWorld world;
  const auto producer = world.open();
  world.add(producer, {t0});
  world.end(producer, true);
  world.pass(1h);
  for (int hour = 0; hour < 24 * 7 - 1; ++hour) world.pass(1h);
  CHECK(world->transaction("p") == nullptr);
  CHECK(world.code(world.add(producer, {t0})) == Errc::unknown_transactional_id);
  CHECK_FALSE(world.log.back().value);
  world.restart();
  CHECK(world->transactions().empty());
  CHECK(world->next_deadline() == std::nullopt);
}

TEST_CASE("What a new instance asks for is checked", "[transactions]") {
  TransactionWorld world;
  for (const coordinator::InitProducerRequest& bad :
       {coordinator::InitProducerRequest{"", 1s}, coordinator::InitProducerRequest{"p", 0s},
        coordinator::InitProducerRequest{"p", 15min + 1ms}}) {
    CHECK(world.init_reply(world.init(bad))->answer.error().code() == Errc::invalid_argument);
  }
  CHECK(world->transactions().empty());
}
