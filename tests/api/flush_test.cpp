#include <millrace/flush.hpp>
#include <millrace/millrace.hpp>
#include <millrace/testing/faulty_io.hpp>
#include <millrace/testing/manual_clock.hpp>

#include "catch.hpp"
#include "temp_directory.hpp"

using millrace::Broker;
using millrace::Durability;
using namespace std::chrono_literals;

namespace {

/// Flushes when a power of two of records waits.
struct OnPowersOfTwo {
  bool acks_after_flush() const noexcept { return false; }
  bool is_due(const millrace::flush::Progress& p) const noexcept {
    return (p.unflushed_records & (p.unflushed_records - 1)) == 0 && p.unflushed_records >= 4;
  }
  std::optional<std::chrono::nanoseconds> max_delay() const noexcept { return std::nullopt; }
};

/// Flushes when exactly four records wait, which no built-in policy does.
struct AtFour {
  bool acks_after_flush() const noexcept { return false; }
  bool is_due(const millrace::flush::Progress& p) const noexcept {
    return p.unflushed_records == 4;
  }
  std::optional<std::chrono::nanoseconds> max_delay() const noexcept { return std::nullopt; }
};

/// One that the settings take for another: flushes when three records wait, not when more do.
struct OnThree {
  bool acks_after_flush() const noexcept { return false; }
  bool is_due(const millrace::flush::Progress& p) const noexcept {
    return p.unflushed_records == 3;
  }
  std::optional<std::chrono::nanoseconds> max_delay() const noexcept { return std::nullopt; }
};

struct Counting {
  millrace::test::TempDirectory temp;
  millrace::testing::FaultyIo io;
  millrace::testing::ManualClock clock;
  Broker broker =
      Broker::open(temp.path(), {.background_thread = false, .clock = &clock, .io_hooks = &io})
          .value();

  millrace::Partition<std::string, std::string> partition(millrace::flush::Any policy) const {
    return broker.topic<std::string, std::string>("t", {.flush = policy})
        .value()
        .partition(0)
        .value();
  }
  std::uint64_t syncs() const {
    return io.calls(millrace::os::IoOp::sync_data) + io.calls(millrace::os::IoOp::sync_range);
  }
};

}  // namespace

static_assert(millrace::FlushPolicy<OnPowersOfTwo>);
static_assert(!millrace::FlushPolicy<int>);

TEST_CASE("before_ack syncs before every acknowledgement") {
  Counting counting;
  const auto partition = counting.partition(millrace::flush::before_ack{});
  partition.append("k", "v").value();
  const auto before = counting.syncs();
  for (int i = 0; i < 5; ++i) {
    CHECK(partition.append("k", "v").value().durability == Durability::flushed);
  }
  CHECK(counting.syncs() == before + 5);
}

TEST_CASE("by_os never syncs by itself") {
  Counting counting;
  const auto partition = counting.partition(millrace::flush::by_os{});
  partition.append("k", "v").value();
  const auto before = counting.syncs();
  for (int i = 0; i < 100; ++i) {
    CHECK(partition.append("k", "v").value().durability == Durability::written);
  }
  counting.clock.advance(24h);
  counting.broker.run_pending();
  CHECK(counting.syncs() == before);
  partition.flush().value();
  CHECK(counting.syncs() > before);
}

TEST_CASE("every flushes by records and by time") {
  Counting counting;
  const auto partition =
      counting.partition(millrace::flush::every{.records = 10, .interval = 50ms});
  partition.append("k", "v").value();
  partition.flush().value();  // the first one also makes the files known
  for (int i = 0; i < 9; ++i) partition.append("k", "v").value();
  const auto before = counting.syncs();
  partition.append("k", "v").value();
  CHECK(counting.syncs() == before + 1);
  partition.append("k", "v").value();
  counting.broker.run_pending();
  CHECK(counting.syncs() == before + 1);
  counting.clock.advance(51ms);
  counting.broker.run_pending();
  CHECK(counting.syncs() == before + 2);
  counting.clock.advance(24h);
  counting.broker.run_pending();
  CHECK(counting.syncs() == before + 2);
}

TEST_CASE("a user's own policy is asked") {
  Counting counting;
  const auto partition = counting.partition(OnPowersOfTwo{});
  partition.append("k", "v").value();
  partition.flush().value();
  partition.append("k", "v").value();
  partition.append("k", "v").value();
  partition.append("k", "v").value();
  const auto before = counting.syncs();
  partition.append("k", "v").value();
  CHECK(counting.syncs() == before + 1);
}

TEST_CASE("the built-in policies are remembered in the topic's settings") {
  const millrace::test::TempDirectory temp;
  {
    const auto broker = Broker::open(temp.path()).value();
    broker.create_topic("a", {.flush = millrace::flush::every{.records = 7, .interval = 20ms}})
        .value();
    broker.create_topic("b", {.flush = millrace::flush::by_os{}}).value();
    broker.create_topic("c").value();
  }
  const auto broker = Broker::open(temp.path()).value();
  const auto a = broker.describe_topic("a").value().settings;
  CHECK(a.at("flush.messages") == "7");
  CHECK(a.at("flush.ms") == "20");
  const auto durability = [&](const char* name) {
    return broker.topic<std::string, std::string>(name)
        .value()
        .partition(0)
        .value()
        .append("k", "v")
        .value()
        .durability;
  };
  CHECK(durability("a") == Durability::written);
  CHECK(durability("b") == Durability::written);
  CHECK(durability("c") == Durability::flushed);
}

TEST_CASE("a policy given for a topic that exists is remembered, too") {
  const millrace::test::TempDirectory temp;
  {
    const auto broker = Broker::open(temp.path()).value();
    broker.create_topic("t", {.flush = millrace::flush::every{.records = 7}}).value();
    broker.topic<std::string, std::string>("t", {.flush = millrace::flush::by_os{}}).value();
    const auto settings = broker.describe_topic("t").value().settings;
    CHECK(settings.at("millrace.flush.policy") == "by_os");
    CHECK(settings.count("flush.messages") == 0);
  }
  const auto broker = Broker::open(temp.path()).value();
  const auto settings = broker.describe_topic("t").value().settings;
  CHECK(settings.at("millrace.flush.policy") == "by_os");
}

TEST_CASE("a policy altered by settings holds from the next append on") {
  Counting counting;
  const auto partition = counting.partition(millrace::flush::by_os{});
  CHECK(partition.append("k", "v").value().durability == Durability::written);
  counting.broker.alter_topic("t", {{"millrace.flush.policy", "before_ack"}}).value();
  const auto before = counting.syncs();
  CHECK(partition.append("k", "v").value().durability == Durability::flushed);
  CHECK(counting.syncs() == before + 1);
  counting.broker.alter_topic("t", {{"millrace.flush.policy", "by_os"}}).value();
  CHECK(partition.append("k", "v").value().durability == Durability::written);
  CHECK(partition.offsets().end == millrace::Offset{3});
}

TEST_CASE("altering something else leaves a user's own policy") {
  Counting counting;
  const auto partition = counting.partition(OnThree{});
  counting.broker.alter_topic("t", {{"retention.ms", "1000"}}).value();
  counting.broker.add_partitions("t", 2).value();
  const auto added = counting.broker.topic<std::string, std::string>("t").value().partition(1);
  for (const auto& one : {partition, *added}) {
    for (int i = 0; i < 3; ++i) one.append("k", "v").value();  // the first ones make the files
    const auto before = counting.syncs();
    for (int i = 0; i < 2; ++i) one.append("k", "v").value();
    CHECK(counting.syncs() == before);
    CHECK(one.offsets().end == millrace::Offset{5});
    one.append("k", "v").value();
    CHECK(counting.syncs() == before + 1);
  }
}

TEST_CASE("a receipt stands for what held when it was given") {
  Counting counting;
  const auto partition = counting.partition(millrace::flush::by_os{});
  millrace::Producer producer{counting.broker.topic<std::string, std::string>("t").value()};
  const auto pending = producer.send("k", "v");
  producer.flush().value();
  counting.broker.alter_topic("t", {{"millrace.flush.policy", "before_ack"}}).value();
  CHECK(pending.get().value().durability == Durability::written);
}

TEST_CASE("a policy can be changed on an open topic") {
  Counting counting;
  const auto relaxed = counting.partition(millrace::flush::by_os{});
  CHECK(relaxed.append("k", "v").value().durability == Durability::written);
  const auto strict = counting.partition(millrace::flush::before_ack{});
  const auto before = counting.syncs();
  CHECK(strict.append("k", "v").value().durability == Durability::flushed);
  CHECK(counting.syncs() == before + 1);
  CHECK(strict.offsets().end == millrace::Offset{2});
}

TEST_CASE("altered flush settings hold from the next append on") {
  Counting counting;
  const auto& broker = counting.broker;
  const auto partition = counting.partition(millrace::flush::by_os{});
  CHECK(partition.append("k", "v").value().durability == Durability::written);
  broker.alter_topic("t", {{"millrace.flush.policy", "before_ack"}}).value();
  auto before = counting.syncs();
  CHECK(partition.append("k", "v").value().durability == Durability::flushed);
  CHECK(counting.syncs() == before + 1);

  broker
      .alter_topic("t",
                   {{"millrace.flush.policy", ""}, {"flush.messages", "3"}, {"flush.ms", "50"}})
      .value();
  before = counting.syncs();
  CHECK(partition.append("k", "v").value().durability == Durability::written);
  CHECK(partition.offsets().end == millrace::Offset{3});
  partition.append("k", "v").value();
  CHECK(counting.syncs() == before);
  partition.append("k", "v").value();
  CHECK(counting.syncs() == before + 1);
  partition.append("k", "v").value();
  counting.clock.advance(51ms);
  broker.run_pending();
  CHECK(counting.syncs() == before + 2);

  // A timer that is set for much later does not hold up one for sooner.
  broker.alter_topic("t", {{"flush.messages", ""}, {"flush.ms", "3600000"}}).value();
  partition.append("k", "v").value();
  broker.alter_topic("t", {{"flush.ms", "50"}}).value();
  partition.append("k", "v").value();
  before = counting.syncs();
  counting.clock.advance(51ms);
  broker.run_pending();
  CHECK(counting.syncs() == before + 1);
}

TEST_CASE("a policy given to an existing topic is remembered") {
  Counting counting;
  counting.broker
      .create_topic("t", {.flush = millrace::flush::by_os{}, .settings = {{"retention.ms", "9"}}})
      .value();
  counting.partition(millrace::flush::every{.records = 7, .interval = 20ms});
  const auto settings = counting.broker.describe_topic("t").value().settings;
  CHECK(settings == millrace::TopicSettings{{"millrace.flush.policy", "every"},
                                            {"flush.messages", "7"},
                                            {"flush.ms", "20"},
                                            {"retention.ms", "9"}});
  counting.partition(millrace::flush::before_ack{});
  counting.broker.close().value();
  const auto again = Broker::open(counting.temp.path()).value();
  CHECK(again.describe_topic("t").value().settings ==
        millrace::TopicSettings{{"millrace.flush.policy", "before_ack"}, {"retention.ms", "9"}});
  const auto topic = again.topic<std::string, std::string>("t").value();
  CHECK(topic.partition(0).value().append("k", "v").value().durability == Durability::flushed);
  // The same policy again is no change, and costs no write of the list of topics.
  again.close().value();
  millrace::testing::FaultyIo io;
  const auto watched = Broker::open(counting.temp.path(), {.io_hooks = &io}).value();
  io.fail({.ops = {millrace::os::IoOp::rename}, .path_suffix = "topics.tmp", .for_ever = true});
  CHECK(watched.topic<std::string, std::string>("t", {.flush = millrace::flush::before_ack{}}));
}

TEST_CASE("a user's own policy outlives other settings, and new partitions get it") {
  Counting counting;
  const auto old = counting.partition(AtFour{});
  counting.broker.alter_topic("t", {{"retention.ms", "-1"}}).value();
  counting.broker.add_partitions("t", 2).value();
  const auto grown = counting.broker.topic<std::string, std::string>("t").value();
  for (const int id : {0, 1}) {
    const auto partition = grown.partition(id).value();
    partition.append("k", "v").value();
    partition.flush().value();  // the first one also makes the files known
    const auto before = counting.syncs();
    for (int i = 0; i < 3; ++i) partition.append("k", "v").value();
    CHECK(counting.syncs() == before);
    partition.append("k", "v").value();
    CHECK(counting.syncs() == before + 1);
  }
  counting.broker.alter_topic("t", {{"millrace.flush.policy", "before_ack"}}).value();
  CHECK(old.append("k", "v").value().durability == Durability::flushed);
}
