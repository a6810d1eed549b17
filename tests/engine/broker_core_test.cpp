#include <millrace/engine/broker_core.hpp>
#include <millrace/testing/faulty_io.hpp>
#include <millrace/testing/manual_clock.hpp>
#include <thread>

#include "catch.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using Catch::Matchers::Contains;
using engine::BrokerCore;
using BrokerPtr = std::shared_ptr<BrokerCore>;

namespace {

BrokerPtr open_in_memory() {
  return BrokerCore::open(":memory:", {.background_thread = false}).value();
}

/// Runs both at the same time.
template <typename First, typename Second>
void together(First first, Second second) {
  std::atomic<int> ready{0};
  const auto start = [&] {
    ++ready;
    while (ready.load() < 2) std::this_thread::yield();
  };
  std::thread other([&] {
    start();
    second();
  });
  start();
  first();
  other.join();
}

}  // namespace

TEST_CASE("partition counts have a least and a most", "[engine][broker]") {
  const BrokerPtr broker = open_in_memory();
  for (const std::int32_t count : {0, -1, 100'001}) {
    const auto created = broker->create_topic("t", count, {});
    REQUIRE_FALSE(created);
    CHECK(created.error().code() == Errc::invalid_argument);
    CHECK_THAT(created.error().message(), Contains("1 to 100000 partitions, not"));
  }
  broker->create_topic("t", 2, {}).value();
  for (const std::int32_t count : {-1, 1, 2}) CHECK_FALSE(broker->add_partitions("t", count));
  CHECK(broker->topic("t").value()->entry.partitions == 2);
}

TEST_CASE("a broker opens again whatever settings its topics were altered to", "[engine][broker]") {
  const test::TempDirectory temp;
  for (const char* setting : {"segment.bytes", "segment.index.bytes", "max.message.bytes",
                              "segment.ms", "index.interval.bytes"}) {
    for (const char* value : {"0", "1", "14", "16", "60", "61", "1024", "2147483647"}) {
      INFO(setting << "=" << value);
      {
        const auto broker = BrokerCore::open(temp.path(), {.background_thread = false}).value();
        if (!broker->topic("t")) broker->create_topic("t", 1, {}).value();
        static_cast<void>(broker->alter_topic("t", {{setting, value}}));
      }
      auto again = BrokerCore::open(temp.path(), {.background_thread = false});
      REQUIRE(again);
      (*again)->alter_topic("t", {{setting, ""}}).value();
    }
  }
}

TEST_CASE("a refused alteration changes nothing", "[engine][broker]") {
  const BrokerPtr broker = open_in_memory();
  broker->create_topic("t", 1, {{"retention.ms", "5"}}).value();
  CHECK_FALSE(broker->alter_topic("t", {{"retention.ms", "6"}, {"segment.bytes", "none"}}));
  CHECK(broker->topic("t").value()->entry.config.at("retention.ms") == "5");
  const auto& partition = broker->topic("t").value()->partitions.front();
  CHECK(partition->log().options().retention_ms == std::chrono::milliseconds(5));
}

TEST_CASE("what cannot be saved is as it was", "[engine][broker]") {
  const test::TempDirectory temp;
  testing::FaultyIo io;
  const auto broker =
      BrokerCore::open(temp.path(), {.background_thread = false, .io_hooks = &io}).value();
  broker->create_topic("t", 1, {}).value();
  io.fail({.os_code = ENOSPC,
           .path_suffix = std::string(engine::registry::topics_file) + ".tmp",
           .for_ever = true});
  CHECK(broker->alter_topic("t", {{"retention.ms", "6"}}).error().code() == Errc::no_space);
  CHECK(broker->topic("t").value()->entry.config.empty());
  CHECK(broker->add_partitions("t", 3).error().code() == Errc::no_space);
  CHECK(broker->topic("t").value()->entry.partitions == 1);
  CHECK(broker->topic("t").value()->readers.size() == 1);
  CHECK_FALSE(broker->create_topic("u", 1, {}));
  CHECK(broker->topic("u").error().code() == Errc::unknown_topic);
  CHECK_FALSE(broker->delete_topic("t"));
  CHECK(broker->topic("t"));
  io.heal();
  broker->add_partitions("t", 3).value();
  broker->create_topic("u", 1, {}).value();
  broker->delete_topic("t").value();
  CHECK(broker->topics().value().size() == 1);
}

TEST_CASE("growing a topic on two threads leaves the larger number", "[engine][broker]") {
  for (int round = 0; round < 200; ++round) {
    const BrokerPtr broker = open_in_memory();
    broker->create_topic("t", 1, {}).value();
    Result<void> larger;
    together([&] { static_cast<void>(broker->add_partitions("t", 2)); },
             [&] { larger = broker->add_partitions("t", 3); });
    CHECK(larger);
    const auto topic = broker->topic("t").value();
    REQUIRE(topic->entry.partitions == 3);
    REQUIRE(topic->partitions.size() == 3);
  }
}

TEST_CASE("alterations on two threads both count", "[engine][broker]") {
  for (int round = 0; round < 200; ++round) {
    const BrokerPtr broker = open_in_memory();
    broker->create_topic("t", 1, {}).value();
    Result<void> first;
    Result<void> second;
    together(
        [&] {
          first = broker->alter_topic("t", {{"retention.ms", "6"}});
        },
        [&] {
          second = broker->alter_topic("t", {{"segment.ms", "7"}});
        });
    CHECK(first);
    CHECK(second);
    const auto config = broker->topic("t").value()->entry.config;
    REQUIRE(config.size() == 2);
  }
}

TEST_CASE("a topic is made once by two threads, and deleted once", "[engine][broker]") {
  for (int round = 0; round < 100; ++round) {
    const BrokerPtr broker = open_in_memory();
    std::atomic<int> made{0};
    std::atomic<int> deleted{0};
    const auto make = [&] { made += broker->create_topic("t", 1, {}).has_value() ? 1 : 0; };
    const auto remove = [&] { deleted += broker->delete_topic("t").has_value() ? 1 : 0; };
    together(make, make);
    CHECK(made == 1);
    together(remove, remove);
    CHECK(deleted == 1);
  }
}

TEST_CASE("after close nothing changes, and closing again is no error", "[engine][broker]") {
  const BrokerPtr broker = open_in_memory();
  broker->create_topic("t", 1, {}).value();
  broker->close().value();
  broker->close().value();
  CHECK(broker->is_closed());
  for (const auto& error :
       {broker->create_topic("u", 1, {}).error(), broker->alter_topic("t", {}).error(),
        broker->add_partitions("t", 2).error(), broker->delete_topic("t").error()}) {
    CHECK(error.code() == Errc::closed);
    CHECK_THAT(error.message(), Contains("is closed"));
  }
}

TEST_CASE("an attachment refuses changes, and says where they are made", "[engine][broker]") {
  const test::TempDirectory temp;
  const auto owner = BrokerCore::open(temp.path(), {.background_thread = false}).value();
  owner->create_topic("t", 1, {}).value();
  const auto attached = BrokerCore::attach(temp.path(), {}).value();
  CHECK_FALSE(attached->is_owner());
  for (const auto& error :
       {attached->create_topic("u", 1, {}).error(), attached->alter_topic("t", {}).error(),
        attached->add_partitions("t", 2).error(), attached->delete_topic("t").error()}) {
    CHECK(error.code() == Errc::read_only);
    CHECK_THAT(error.message(), Contains("the process that owns the directory"));
  }
  const auto before = attached->topic("t").value();
  owner->add_partitions("t", 2).value();
  CHECK(attached->topic("t").value()->readers.size() == 2);
  owner->delete_topic("t").value();
  owner->create_topic("t", 1, {}).value();
  const auto after = attached->topic("t").value();
  CHECK(after->entry.id != before->entry.id);
  CHECK(after->readers.front() != before->readers.front());
  CHECK(BrokerCore::attach(":memory:", {}).error().code() == Errc::invalid_argument);
}

TEST_CASE("cleaning is due at its interval, again and again", "[engine][broker]") {
  testing::ManualClock clock;
  const auto broker =
      BrokerCore::open(":memory:", {.background_thread = false,
                                    .clock = &clock,
                                    .retention_check_interval = std::chrono::minutes(5)})
          .value();
  broker->create_topic("t", 1, {{"retention.ms", "1000"}}).value();
  auto& partition = *broker->topic("t").value()->partitions.front();
  for (std::int64_t round = 1; round <= 3; ++round) {
    const auto done = partition.append_record(clock.now(), std::nullopt, as_bytes("v"), {}).value();
    partition.wait_acknowledged(done.next_offset).value();
    clock.advance(std::chrono::minutes(5) - std::chrono::milliseconds(1));
    broker->run_pending();
    CHECK(partition.log().log_start_offset() == Offset{round - 1});
    clock.advance(std::chrono::milliseconds(1));
    broker->run_pending();
    CHECK(partition.log().log_start_offset() == Offset{round});
  }
}
