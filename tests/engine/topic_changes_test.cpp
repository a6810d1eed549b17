#include <atomic>
#include <millrace/engine/broker_core.hpp>
#include <thread>

#include "catch.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using engine::BrokerCore;
using engine::ConfigMap;
using test::TempDirectory;

TEST_CASE("settings that no log works with are refused and not stored") {
  const TempDirectory temp;
  const ConfigMap wrong = GENERATE(
      ConfigMap{{"segment.bytes", "500"}}, ConfigMap{{"segment.index.bytes", "16"}},
      ConfigMap{{"segment.index.bytes", "1073741825"}}, ConfigMap{{"max.message.bytes", "60"}});
  {
    const auto broker = BrokerCore::open(temp.path(), {}).value();
    broker->create_topic("a", 1, {}).value();
    CHECK(broker->alter_topic("a", wrong).error().code() == Errc::invalid_argument);
    CHECK(broker->create_topic("b", 1, wrong).error().code() == Errc::invalid_argument);
    broker->close().value();
  }
  const auto broker = BrokerCore::open(temp.path(), {}).value();
  CHECK(broker->topics().value().size() == 1);
  CHECK(broker->topic("a").value()->entry.config.empty());
}

TEST_CASE("settings that an older version let in keep no directory from opening") {
  const TempDirectory temp;
  {
    const auto broker = BrokerCore::open(temp.path(), {}).value();
    for (const char* name : {"a", "b"}) broker->create_topic(name, 2, {}).value();
    broker->close().value();
    const auto directory = os::open_directory(temp.path(), false).value();
    auto topics = engine::registry::load_topics(directory).value();
    topics[0].config = {{"segment.bytes", "500"},
                        {"max.message.bytes", "0"},
                        {"compression.type", "one.we.lack"},
                        {"of.a.later.version", "1"}};
    engine::registry::save_topics(directory, topics).value();
  }
  const auto broker = BrokerCore::open(temp.path(), {}).value();
  const auto partition = broker->topic("a").value()->partitions[1];
  CHECK(partition->config().log.segment_bytes == storage::smallest_segment);
  CHECK(broker->topic("b").value()->partitions[1]->append_record(Timestamp{1}, {}, Bytes(), {}));
  // What is not understood stays as it is until it is set again, and hinders nothing else.
  broker->alter_topic("a", {{"retention.ms", "5"}, {"max.message.bytes", ""}}).value();
  CHECK(partition->append_record(Timestamp{1}, {}, Bytes(), {}));
  const ConfigMap stored = broker->topic("a").value()->entry.config;
  CHECK(stored.at("of.a.later.version") == "1");
  CHECK(stored.at("retention.ms") == "5");
  CHECK(BrokerCore::attach(temp.path(), {}).value()->topic("a"));
}

namespace {

/// Runs both at the same time.
template <typename A, typename B>
void side_by_side(A one, B other) {
  std::atomic<int> ready{0};
  const auto meet = [&] {
    ready.fetch_add(1);
    while (ready.load() < 2) std::this_thread::yield();
  };
  std::thread thread([&] {
    meet();
    one();
  });
  meet();
  other();
  thread.join();
}

}  // namespace

TEST_CASE("of changes to one topic at the same time none is lost") {
  const auto broker = BrokerCore::open(":memory:", {}).value();
  broker->create_topic("t", 1, {}).value();
  for (int round = 2; round < 300; ++round) {
    const std::string value = std::to_string(round);
    side_by_side([&] { broker->add_partitions("t", round).value(); },
                 [&] {
                   broker->alter_topic("t", {{"retention.ms", value}}).value();
                 });
    const auto topic = broker->topic("t").value();
    REQUIRE(topic->entry.partitions == round);
    REQUIRE(topic->partitions.size() == static_cast<std::size_t>(round));
    REQUIRE(topic->entry.config.at("retention.ms") == value);
  }
}

TEST_CASE("a deleted topic does not come back by a change at the same time") {
  const auto broker = BrokerCore::open(":memory:", {}).value();
  for (int round = 0; round < 300; ++round) {
    broker->create_topic("t", 1, {}).value();
    side_by_side([&] { broker->delete_topic("t").value(); },
                 [&] {
                   static_cast<void>(broker->alter_topic("t", {{"retention.ms", "5"}}));
                 });
    REQUIRE(broker->topics().value().empty());
  }
}
