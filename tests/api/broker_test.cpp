#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <millrace/broker.hpp>
#include <millrace/millrace.hpp>
#include <millrace/testing/faulty_io.hpp>
#include <millrace/testing/manual_clock.hpp>
#include <thread>

#include "catch.hpp"
#include "temp_directory.hpp"

using Catch::Matchers::Contains;
using millrace::Broker;
using millrace::Errc;
using millrace::test::TempDirectory;

namespace {

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("a broker creates its directory and finds its topics again") {
  const TempDirectory temp;
  {
    const auto broker = Broker::open(temp / "new" + "/deeper").value();
    CHECK(broker.recovery_report().empty());
    broker.create_topic("orders", {.partitions = 3, .settings = {{"retention.ms", "1000"}}})
        .value();
    broker.create_topic("a.b").value();
    broker.close().value();
  }
  const auto broker = Broker::open(temp / "new" + "/deeper").value();
  const auto topics = broker.topics().value();
  REQUIRE(topics.size() == 2);
  CHECK(topics[0].name == "a.b");
  CHECK(topics[1].name == "orders");
  CHECK(topics[1].partitions == 3);
  CHECK(topics[1].settings.at("retention.ms") == "1000");
}

TEST_CASE("a second owner is told who holds the directory") {
  const TempDirectory temp;
  const auto first = Broker::open(temp.path()).value();
  const auto second = Broker::open(temp.path());
  REQUIRE_FALSE(second);
  CHECK(second.error().code() == Errc::directory_locked);
  CHECK_THAT(second.error().message(), Contains(temp.path()));
  CHECK_THAT(second.error().message(), Contains("process " + std::to_string(::getpid())));
  CHECK_THAT(second.error().message(), Contains("which is this process"));
  first.close().value();
  CHECK(Broker::open(temp.path()));
}

TEST_CASE("foreign and newer directories are left alone") {
  const TempDirectory temp;
  SECTION("files of something else") {
    write_file(temp / "precious.txt", "mine");
    const auto broker = Broker::open(temp.path());
    REQUIRE_FALSE(broker);
    CHECK(broker.error().code() == Errc::foreign_directory);
    CHECK_THAT(broker.error().message(), Contains(temp.path()) && Contains("empty or new"));
  }
  SECTION("Kafka's own") {
    write_file(temp / "meta.properties", "version=1\ncluster.id=x\nnode.id=1\n");
    const auto broker = Broker::open(temp.path());
    REQUIRE_FALSE(broker);
    CHECK(broker.error().code() == Errc::foreign_directory);
  }
  SECTION("a later format") {
    write_file(temp / "meta.properties", "version=1\nmillrace.format=99\n");
    const auto broker = Broker::open(temp.path());
    REQUIRE_FALSE(broker);
    CHECK(broker.error().code() == Errc::newer_format);
    CHECK_THAT(broker.error().message(), Contains("99"));
  }
  SECTION("missing, and not to be created") {
    const auto broker = Broker::open(temp / "none", {.create_if_missing = false});
    REQUIRE_FALSE(broker);
    CHECK_THAT(broker.error().message(), Contains(temp / "none"));
  }
}

TEST_CASE("topic names follow Kafka's rules") {
  const auto broker = Broker::open(":memory:").value();
  for (const std::string name : {"", ".", "..", "with space", "slash/y", "ümlaut"}) {
    const auto created = broker.create_topic(name);
    INFO(name);
    REQUIRE_FALSE(created);
    CHECK(created.error().code() == Errc::invalid_topic);
    CHECK_THAT(created.error().message(), Contains("topic name"));
  }
  CHECK(broker.create_topic(std::string(249, 'x')));
  CHECK(broker.create_topic(std::string(250, 'x')).error().code() == Errc::invalid_topic);
}

TEST_CASE("topics are created once, and not beside a name that collides") {
  const auto broker = Broker::open(":memory:").value();
  broker.create_topic("a.b", {.partitions = 2}).value();
  CHECK(broker.create_topic("a.b").error().code() == Errc::topic_exists);
  const auto collides = broker.create_topic("a_b");
  REQUIRE_FALSE(collides);
  CHECK_THAT(collides.error().message(), Contains("a_b") && Contains("a.b"));
  const auto other_count = broker.topic<std::string, std::string>("a.b", {.partitions = 3});
  REQUIRE_FALSE(other_count);
  CHECK_THAT(other_count.error().message(), Contains("has 2 partitions, not 3"));
  CHECK(broker.create_topic("many", {.partitions = 0}).error().code() == Errc::invalid_argument);
}

TEST_CASE("all who ask for a new topic at the same time get it") {
  const auto broker = Broker::open(":memory:").value();
  constexpr int threads = 4;
  for (int round = 0; round < 200; ++round) {
    const std::string name = "t" + std::to_string(round);
    std::atomic<int> ready{0};
    std::atomic<int> got{0};
    std::vector<std::thread> askers;
    for (int t = 0; t < threads; ++t) {
      askers.emplace_back([&] {
        ready.fetch_add(1);
        while (ready.load() < threads) std::this_thread::yield();
        got.fetch_add(broker.topic<std::string, std::string>(name, {.partitions = 2}) ? 1 : 0);
      });
    }
    for (auto& asker : askers) asker.join();
    REQUIRE(got == threads);
  }
  broker.create_topic("a.b").value();
  CHECK(broker.topic<std::string, std::string>("a_b").error().code() == Errc::topic_exists);
}

TEST_CASE("settings are checked, and say what they take") {
  const auto broker = Broker::open(":memory:").value();
  const auto create = [&](const char* name, const char* value) {
    return broker.create_topic("t", {.settings = {{name, value}}});
  };
  CHECK_THAT(create("retention.msec", "1").error().message(),
             Contains("did you mean retention.ms"));
  CHECK_THAT(create("retention.ms", "soon").error().message(),
             Contains("retention.ms=soon") && Contains("whole number"));
  CHECK_THAT(create("segment.bytes", "-1").error().message(), Contains("from 1024 to 2147483647"));
  CHECK_THAT(create("cleanup.policy", "shred").error().message(), Contains("delete, compact"));
  CHECK_THAT(create("min.cleanable.dirty.ratio", "2").error().message(), Contains("from 0 to 1"));
  CHECK_THAT(create("preallocate", "maybe").error().message(), Contains("true or false"));
  CHECK_THAT(create("compression.type", "rar").error().message(), Contains("zstd"));
  CHECK(broker.topics().value().empty());
}

TEST_CASE("topics can be altered, grown and deleted") {
  const TempDirectory temp;
  const auto broker = Broker::open(temp.path()).value();
  const auto topic = broker.topic<std::string, std::string>("t").value();
  topic.partition(0).value().append("k", "v").value();
  broker.alter_topic("t", {{"retention.ms", "5"}}).value();
  CHECK(broker.describe_topic("t").value().settings.at("retention.ms") == "5");
  broker.alter_topic("t", {{"retention.ms", ""}}).value();
  CHECK(broker.describe_topic("t").value().settings.count("retention.ms") == 0);
  CHECK_FALSE(broker.alter_topic("t", {{"no.such", "1"}}));
  CHECK_FALSE(broker.add_partitions("t", 1));
  broker.add_partitions("t", 4).value();
  CHECK(broker.topic<std::string, std::string>("t").value().partition_count() == 4);
  const auto missing = topic.partition(7);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code() == Errc::unknown_partition);
  broker.delete_topic("t").value();
  const auto gone = broker.describe_topic("t");
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code() == Errc::unknown_topic);
  CHECK_FALSE(boost::filesystem::exists(temp / "t-0"));
}

TEST_CASE("after close everything answers closed") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = broker.topic<std::string, std::string>("t").value();
  const auto partition = topic.partition(0).value();
  millrace::Producer producer{topic};
  millrace::Consumer consumer{topic};
  broker.close().value();
  CHECK(partition.append("k", "v").error().code() == Errc::closed);
  CHECK(producer.send("k", "v").get().error().code() == Errc::closed);
  CHECK(consumer.poll(std::chrono::hours(1)).error().code() == Errc::closed);
  CHECK(broker.create_topic("u").error().code() == Errc::closed);
}

TEST_CASE("an attachment sees topics made later and refuses changes") {
  const TempDirectory temp;
  const auto owner = Broker::open(temp.path()).value();
  const auto attached = Broker::attach(temp.path()).value();
  CHECK(attached.is_attached());
  CHECK(attached.topics().value().empty());
  const auto topic = owner.topic<std::string, std::string>("late", {.partitions = 2}).value();
  topic.partition(1).value().append("k", "v").value();
  const auto seen = attached.topic<std::string, std::string>("late").value();
  CHECK(seen.partition(1).value().read(millrace::Offset{0}).value()->value() == "v");
  const auto refused = seen.partition(0).value().append("k", "v");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::read_only);
  CHECK_THAT(refused.error().message(), Contains("late-0") && Contains("owns the directory"));
  CHECK(attached.create_topic("x").error().code() == Errc::read_only);
  CHECK(attached.topic<std::string, std::string>("x").error().code() == Errc::unknown_topic);
  CHECK(Broker::attach(":memory:").error().code() == Errc::invalid_argument);
  CHECK_FALSE(Broker::attach(temp / "nowhere"));
}

TEST_CASE("without a background thread the user runs what is due") {
  millrace::testing::ManualClock clock;
  const auto broker =
      Broker::open(":memory:", {.background_thread = false,
                                .retention_check_interval = std::chrono::seconds(10),
                                .clock = &clock})
          .value();
  const auto topic =
      broker.topic<std::string, std::string>("t", {.settings = {{"retention.ms", "60000"}}})
          .value();
  const auto partition = topic.partition(0).value();
  partition.append("k", "v").value();
  clock.advance(std::chrono::seconds(11));
  CHECK(broker.run_pending() > 0);
  CHECK(partition.offsets().start == millrace::Offset{0});
  clock.advance(std::chrono::seconds(100));
  CHECK(broker.next_pending().value() <= clock.steady());
  broker.run_pending();
  CHECK(partition.offsets().start == millrace::Offset{1});
  CHECK(partition.offsets().end == millrace::Offset{1});
}

TEST_CASE("background work that fails is told of, each time") {
  using millrace::os::IoOp;
  const TempDirectory temp;
  millrace::testing::ManualClock clock;
  millrace::testing::FaultyIo io;
  std::vector<millrace::Error> errors;
  const auto broker =
      Broker::open(temp.path(),
                   {.background_thread = false,
                    .retention_check_interval = std::chrono::seconds(10),
                    .clock = &clock,
                    .io_hooks = &io,
                    .on_background_error = [&](const auto& error) { errors.push_back(error); }})
          .value();
  const auto pass = [&](int seconds) {
    clock.advance(std::chrono::seconds(seconds));
    broker.run_pending();
  };
  const auto open = [&](millrace::TopicSettings settings) {
    settings["segment.bytes"] = "1024";
    const auto topic =
        broker.topic<std::string, std::string>("t", {.partitions = 2, .settings = settings});
    return topic.value().partition(1).value();
  };
  const std::string text(600, 'x');
  SECTION("compaction") {
    const auto partition =
        open({{"cleanup.policy", "compact"}, {"min.cleanable.dirty.ratio", "0"}});
    for (int i = 0; i < 5; ++i) partition.append("k", text).value();
    io.fail({.ops = {IoOp::create}, .path_suffix = ".log.cleaned", .for_ever = true});
    pass(11);
    REQUIRE(errors.size() == 1);
    pass(11);
    REQUIRE(errors.size() == 2);
    CHECK_THAT(errors[1].message(), Contains("t-1") && Contains(".log.cleaned"));
    io.heal();
    pass(11);
  }
  SECTION("retention") {
    const auto partition = open({{"retention.ms", "1000"}});
    for (int i = 0; i < 3; ++i) partition.append("k", text).value();
    io.fail({.ops = {IoOp::remove}, .path_suffix = ".log", .for_ever = true});
    pass(11);
    REQUIRE(errors.size() == 1);
    io.heal();
    pass(11);
  }
  SECTION("an interval flush") {
    const auto partition = open({{"flush.ms", "50"}});
    partition.append("k", "v").value();
    io.fail({.ops = {IoOp::sync_data, IoOp::sync_range}, .path_suffix = ".log"});
    pass(1);
    REQUIRE(errors.size() == 1);
  }
  SECTION("syncing what a roll sealed") {
    const auto partition = open({{"millrace.flush.policy", "by_os"}});
    partition.append("k", text).value();
    broker.run_pending();
    io.fail({.ops = {IoOp::sync_data, IoOp::sync_range}, .path_suffix = ".log"});
    partition.append("k", text).value();
    pass(1);
    REQUIRE(errors.size() == 1);
  }
  const std::size_t told = errors.size();
  CHECK(errors[0].code() == Errc::io_error);
  CHECK(errors[0].topic() == "t");
  CHECK(errors[0].partition() == 1);
  broker.delete_topic("t").value();
  pass(11);
  CHECK(errors.size() == told);
}

TEST_CASE("with a background thread its errors are told there") {
  const TempDirectory temp;
  millrace::testing::FaultyIo io;
  std::atomic<bool> told{false};
  std::thread::id where;
  const auto broker = Broker::open(temp.path(), {.io_hooks = &io,
                                                 .on_background_error =
                                                     [&](const auto&) {
                                                       where = std::this_thread::get_id();
                                                       told = true;
                                                       told.notify_all();
                                                     }})
                          .value();
  const auto topic = broker.topic<std::string, std::string>("t", {.settings = {{"flush.ms", "1"}}});
  io.fail({.ops = {millrace::os::IoOp::sync_data, millrace::os::IoOp::sync_range},
           .path_suffix = ".log"});
  topic.value().partition(0).value().append("k", "v").value();
  told.wait(false);
  CHECK(where != std::this_thread::get_id());
  CHECK(broker.close().error().code() == Errc::log_failed);
}

TEST_CASE("a damaged list of topics is an error that names it") {
  const TempDirectory temp;
  {
    const auto broker = Broker::open(temp.path()).value();
    broker.create_topic("t").value();
  }
  write_file(temp / "topics", "0\n2\nt 1 x\n");
  const auto broker = Broker::open(temp.path());
  REQUIRE_FALSE(broker);
  CHECK(broker.error().code() == Errc::corrupt_data);
  CHECK_THAT(broker.error().message(), Contains("topics"));
}

TEST_CASE("a delete that was cut short does not show its records to a later topic") {
  const TempDirectory temp;
  millrace::testing::FaultyIo io;
  {
    const auto broker = Broker::open(temp.path(), {.io_hooks = &io}).value();
    const auto topic = broker.topic<std::string, std::string>("orders", {.partitions = 2}).value();
    topic.partition(0).value().append("key", "old").value();
    io.fail({.ops = {millrace::os::IoOp::rename}, .path_suffix = "orders-0", .for_ever = true});
    const auto deleted = broker.delete_topic("orders");
    REQUIRE_FALSE(deleted);
    CHECK_THAT(deleted.error().message(), Contains("orders-0"));
    CHECK_FALSE(broker.create_topic("orders"));
    io.heal();
    SECTION("the same broker finishes it") {
      broker.create_topic("orders").value();
    }
    SECTION("the next one does") {}
  }
  const auto broker = Broker::open(temp.path()).value();
  const auto topic = broker.topic<std::string, std::string>("orders").value();
  CHECK(topic.partition(0).value().offsets().end == millrace::Offset{0});
  CHECK_FALSE(std::ifstream(temp / "deleting"));
}

TEST_CASE("a delete that was announced but not done leaves the topic as it is") {
  const TempDirectory temp;
  millrace::testing::FaultyIo io;
  {
    const auto broker = Broker::open(temp.path(), {.io_hooks = &io}).value();
    const auto topic = broker.topic<std::string, std::string>("orders").value();
    topic.partition(0).value().append("key", "kept").value();
    io.fail({.ops = {millrace::os::IoOp::rename}, .path_suffix = "topics.tmp"});
    CHECK_FALSE(broker.delete_topic("orders"));
    CHECK(topic.partition(0).value().append("key", "more"));
  }
  const auto broker = Broker::open(temp.path()).value();
  const auto topic = broker.topic<std::string, std::string>("orders").value();
  CHECK(topic.partition(0).value().offsets().end == millrace::Offset{2});
}

TEST_CASE("a create that was cut short can be done again") {
  const TempDirectory temp;
  millrace::testing::FaultyIo io;
  {
    const auto broker = Broker::open(temp.path(), {.io_hooks = &io}).value();
    io.fail({.ops = {millrace::os::IoOp::rename}, .path_suffix = "topics.tmp"});
    CHECK_FALSE(broker.create_topic("orders", {.partitions = 3}));
    CHECK(broker.topics().value().empty());
  }
  const auto broker = Broker::open(temp.path()).value();
  CHECK(broker.topics().value().empty());
  CHECK(broker.create_topic("orders"));
}

TEST_CASE("two threads may ask for a new topic at once") {
  for (int round = 0; round < 100; ++round) {
    const auto broker = Broker::open(":memory:", {.background_thread = false}).value();
    std::atomic<int> ready{0};
    std::atomic<int> given{0};
    const auto ask = [&] {
      ++ready;
      while (ready.load() < 2) std::this_thread::yield();
      given += broker.topic<std::string, std::string>("t") ? 1 : 0;
    };
    std::thread other(ask);
    ask();
    other.join();
    REQUIRE(given == 2);
  }
}
