#include <millrace/engine/broker_core.hpp>
#include <millrace/record/compression.hpp>

#include "catch.hpp"
#include "delayed_fixture.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace millrace::test;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

TEST_CASE("A delayed record is seen at its time, not before, and once", "[delayed]") {
  DelayedStand stand;
  const auto topic = stand.make();
  DelayedStand::send(topic, "at once");
  stand.send(topic, "later", 10min);
  DelayedStand::send(topic, "after it");
  stand.advance(0s);
  CHECK(seen(topic) == Values{"at once", "after it"});
  stand.advance(10min - 1ms);
  CHECK(seen(topic) == Values{"at once", "after it"});
  stand.advance(1ms);
  CHECK(seen(topic) == Values{"at once", "after it", "later"});
  stand.advance(24h);
  CHECK(seen(topic) == Values{"at once", "after it", "later"});
  CHECK(stand.errors.empty());
}

TEST_CASE("Delivery is in the order of the times, and of the offsets where these are the same",
          "[delayed]") {
  DelayedStand stand;
  const auto topic = stand.make();
  stand.send(topic, "3", 3s);
  stand.send(topic, "1a", 1s);
  stand.send(topic, "2", 2s);
  stand.send(topic, "1b", 1s);
  stand.send(topic, "1c", 1s);
  SECTION("one by one") {
    for (int i = 0; i < 3; ++i) stand.advance(1s);
  }
  SECTION("all at once") {
    stand.advance(1h);
  }
  CHECK(seen(topic) == Values{"1a", "1b", "1c", "2", "3"});
}

TEST_CASE("A delivered record is the one that was sent, with its time and where it was",
          "[delayed]") {
  DelayedStand stand;
  TopicOptions options{.settings = delayed_settings};
  SECTION("timed by its sender") {}
  SECTION("timed by the log") {
    options.settings["message.timestamp.type"] = "LogAppendTime";
  }
  const auto topic = stand.make(options);
  const DeliverAt at(stand.clock.now() + 5s);
  const std::string key = "key";
  const std::string value = "value";
  const std::vector<Header> headers = {{"mine", as_bytes("1")}, at.header()};
  Producer producer{topic};
  DelayedStand::send(topic, "first");
  const auto receipt = producer.send_with({.headers = headers}, &key, &value).get().value();
  CHECK(receipt.offset == Offset{1});
  stand.advance(7s);
  Consumer consumer{topic};
  const auto records = consumer.poll(0s).value();
  auto record = records.begin();
  CHECK_FALSE(delayed_offset(record->headers()));
  ++record;
  REQUIRE(record != records.end());
  CHECK(record->offset() == Offset{2});
  CHECK(record->key() == "key");
  CHECK(record->value() == "value");
  CHECK(record->timestamp() == stand.clock.now());
  CHECK(delayed_offset(record->headers()) == receipt.offset);
  std::vector<std::string> names;
  for (const auto& header : record->headers()) names.emplace_back(header.key);
  CHECK(names == Values{"mine", "millrace.deliver-at", "millrace.delayed-offset"});
}

TEST_CASE("Without the setting the header says nothing", "[delayed]") {
  DelayedStand stand;
  const auto topic = stand.make({});
  stand.send(topic, "later", 10min);
  CHECK(seen(topic) == Values{"later"});
  stand.advance(1h);
  CHECK(seen(topic) == Values{"later"});
}

TEST_CASE("A time that has passed, or is malformed, delays nothing", "[delayed]") {
  DelayedStand stand;
  const auto topic = stand.make();
  Producer producer{topic};
  const std::string key = "k";
  // As a client of another kind may send it: nobody looks into its batches.
  const auto append = [&](std::optional<Bytes> time) {
    const std::vector<record::HeaderView> headers = {{"millrace.deliver-at", time}};
    record::BatchBuilder batch;
    REQUIRE(batch.add(stand.clock.now(), as_bytes(key), as_bytes(key), headers));
    engine::Partition& partition = *topic.core()->partitions.front();
    const auto appended = partition.append(batch.finish().value());
    REQUIRE(appended);
    REQUIRE(partition.wait_acknowledged(appended->next_offset));
  };
  for (const std::string text : {"", "-1", "soon", "99999999999999999999", " 1600000600000", "1e15",
                                 "1600000600000 ", "253402300800000"}) {
    append(as_bytes(text));
    const std::vector<Header> headers = {{"millrace.deliver-at", as_bytes(text)}};
    const auto refused = producer.send_with({.headers = headers}, &key, &text).get();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::invalid_record);
    CHECK(refused.error().topic() == topic.name());
  }
  append(std::nullopt);
  for (const std::string text : {"0", "1600000000000"}) {
    const std::vector<Header> headers = {{"millrace.deliver-at", as_bytes(text)}};
    REQUIRE(producer.send_with({.headers = headers}, &key, &text).get());
  }
  CHECK(seen(topic).size() == 11);
  const std::vector<Header> last = {{"millrace.deliver-at", as_bytes("253402300799999")}};
  REQUIRE(producer.send_with({.headers = last}, &key, &key).get());
  CHECK(seen(topic).size() == 11);
}

TEST_CASE("Of several times the last one counts", "[delayed]") {
  DelayedStand stand;
  const auto topic = stand.make();
  const DeliverAt early(stand.clock.now() + 1s);
  const DeliverAt late(stand.clock.now() + 2s);
  const std::vector<Header> headers = {late.header(), early.header()};
  Producer producer{topic};
  const std::string value = "v";
  REQUIRE(producer.send_with({.headers = headers}, nullptr, &value).get());
  stand.advance(1s);
  CHECK(seen(topic).size() == 1);
}

TEST_CASE("Records of one batch are hidden one by one", "[delayed]") {
  DelayedStand stand;
  const auto topic = stand.make();
  const auto codec = GENERATE(record::Codec::none, record::Codec::lz4);
  if (!record::codec_available(codec)) return;
  Producer producer{topic, {.linger = 1h, .compression = codec}};
  Values visible;
  Values delayed;
  for (int i = 0; i < 200; ++i) {
    const std::string value = std::to_string(i);
    const bool is_delayed = i % 7 == 0 || (i > 100 && i < 130);
    (is_delayed ? delayed : visible).push_back(value);
    const DeliverAt at(stand.clock.now() + std::chrono::milliseconds(1000 + i));
    producer.send_with({.headers = is_delayed ? at.headers() : std::span<const Header>()}, nullptr,
                       &value);
  }
  REQUIRE(producer.flush());
  CHECK(seen(topic) == visible);
  CHECK(seen(topic, {.max_records = 3}) == visible);
  stand.advance(1h);
  Values all = visible;
  all.insert(all.end(), delayed.begin(), delayed.end());
  CHECK(seen(topic) == all);
  CHECK(seen(topic, {.max_records = 3}) == all);
  CHECK(seen(topic, {.max_bytes = 1}) == all);
  // As few batches as they fit into.
  CHECK(topic.partition(0).value().offsets().end == Offset{200 + std::ssize(delayed)});
}

TEST_CASE("A poll gives as many records as it may, however many are hidden", "[delayed]") {
  DelayedStand stand;
  const auto topic = stand.make();
  for (int i = 0; i < 5; ++i) stand.send(topic, "later", 1h);
  DelayedStand::send(topic, "now");
  for (int i = 0; i < 5; ++i) stand.send(topic, "later", 1h);
  Consumer consumer{topic, {.max_records = 1}};
  const auto first = consumer.poll(0s).value();
  REQUIRE(first.begin() != first.end());
  CHECK(first.begin()->value() == "now");
  CHECK(consumer.poll(0s).value().empty());
  CHECK(consumer.position(0).value() == Offset{11});
  CHECK(consumer.lag(0).value() == 0);
}

TEST_CASE("Reading by offset shows the log as it is", "[delayed]") {
  DelayedStand stand;
  const auto topic = stand.make();
  stand.send(topic, "later", 1h);
  const auto partition = topic.partition(0).value();
  CHECK(partition.read(Offset{0}).value()->value() == "later");
}

TEST_CASE("Members of groups see delayed records at their time", "[delayed]") {
  DelayedStand stand;
  const auto topic = stand.make();
  stand.send(topic, "later", 1h);
  DelayedStand::send(topic, "now");
  auto member = ConsumerGroup{topic, "g"}.join().value();
  const auto poll = [&] {
    Values values;
    for (int i = 0; i < 5; ++i) {
      const auto records = member.poll(0s).value();
      for (const auto& record : records) values.push_back(record.value());
    }
    return values;
  };
  CHECK(poll() == Values{"now"});
  REQUIRE(member.commit());
  stand.advance(1h);
  CHECK(poll() == Values{"later"});
}

TEST_CASE("A consumer that waits is woken when a record is delivered", "[delayed]") {
  const Broker broker = Broker::open(":memory:").value();
  const auto topic =
      broker.topic<std::string, std::string>("t", {.settings = delayed_settings}).value();
  Producer producer{topic};
  const Timestamp now = system_clock().now();
  const DeliverAt at(now + 50ms);
  const std::string value = "later";
  const auto receipt =
      producer.send_with({.headers = at.headers(), .timestamp = now}, nullptr, &value)
          .get()
          .value();
  Consumer consumer{topic};
  const auto records = consumer.poll(1h).value();
  REQUIRE(records.begin() != records.end());
  CHECK(delayed_offset(records.begin()->headers()) == receipt.offset);
  CHECK(system_clock().now().milliseconds() >=
        record::deliver_at(records.begin()->headers())->milliseconds());
}
