#include <atomic>
#include <millrace/millrace.hpp>
#include <millrace/producer.hpp>
#include <millrace/testing/faulty_io.hpp>
#include <millrace/testing/manual_clock.hpp>
#include <thread>

#include "catch.hpp"
#include "temp_directory.hpp"

using Catch::Matchers::Contains;
using millrace::Broker;
using millrace::Errc;
using millrace::Offset;
using millrace::Producer;
using millrace::SendStatus;
using namespace std::chrono_literals;

namespace {

using Text = millrace::Topic<std::string, std::string>;

Text topic_of(const Broker& broker, millrace::TopicOptions options = {}) {
  return broker.topic<std::string, std::string>("t", options).value();
}

std::size_t count_records(const Text& topic) {
  std::size_t count = 0;
  for (int p = 0; p < topic.partition_count(); ++p) {
    auto scan = topic.partition(p).value().scan(Offset{0});
    for ([[maybe_unused]] const auto& record : scan) ++count;
    REQUIRE(scan.status());
  }
  return count;
}

}  // namespace

TEST_CASE("records that linger are one batch, and a receipt ends the wait") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = topic_of(broker);
  Producer producer{topic, {.linger = 1h}};
  std::vector<millrace::PendingReceipt> pending;
  for (int i = 0; i < 100; ++i) pending.push_back(producer.send("k", std::to_string(i)));
  CHECK_FALSE(pending.front().is_done());
  CHECK(topic.partition(0).value().offsets().end == Offset{0});
  const auto receipt = pending[42].get().value();
  CHECK(receipt.offset == Offset{42});
  CHECK(receipt.durability == millrace::Durability::flushed);
  for (const auto& each : pending) CHECK(each.is_done());
  CHECK(count_records(topic) == 100);
}

TEST_CASE("the linger time ends without anybody waiting") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = topic_of(broker);
  Producer producer{topic, {.linger = 1ms}};
  std::atomic<int> delivered{0};
  producer.send("k", "v", [&](const millrace::Result<millrace::Receipt>& receipt) {
    if (receipt) delivered = 1;
    delivered.notify_all();
  });
  delivered.wait(0);
  CHECK(count_records(topic) == 1);
}

TEST_CASE("with by_os a full batch is acknowledged as written") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = topic_of(broker, {.flush = millrace::flush::by_os{}});
  Producer producer{topic, {.batch_bytes = 1000, .linger = 1h}};
  const auto first = producer.send("k", std::string(600, 'a'));
  CHECK_FALSE(first.is_done());
  producer.send("k", std::string(600, 'b'));
  CHECK(first.is_done());
  CHECK(first.get().value().durability == millrace::Durability::written);
  producer.flush().value();
  CHECK(count_records(topic) == 2);
}

TEST_CASE("a full buffer is answered as back pressure, not as an error") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = topic_of(broker);
  Producer producer{topic, {.linger = 1h, .buffer_bytes = 2000, .max_block = 0ms}};
  CHECK(producer.send("k", std::string(1500, 'x')).status() == SendStatus::accepted);
  const auto refused = producer.send("k", std::string(1500, 'y'));
  CHECK(refused.status() == SendStatus::back_pressure);
  CHECK(refused.get().error().code() == Errc::back_pressure);
  producer.flush().value();
  CHECK(producer.send("k", std::string(1500, 'y')).accepted());
  producer.flush().value();
  CHECK(count_records(topic) == 2);
}

TEST_CASE("with time to block, a full buffer makes the sender do the work") {
  const auto broker = Broker::open(":memory:", {.background_thread = false}).value();
  const auto topic = topic_of(broker);
  Producer producer{topic, {.linger = 1h, .buffer_bytes = 2000, .max_block = 1h}};
  for (int i = 0; i < 50; ++i) CHECK(producer.send("k", std::string(900, 'x')).accepted());
  producer.flush().value();
  CHECK(count_records(topic) == 50);
}

TEST_CASE("partitioners, explicit partitions, headers and tombstones") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = topic_of(broker, {.partitions = 4});
  Producer producer{topic};
  const std::string key = "k";
  const std::string value = "v";
  const millrace::Header headers[] = {{"trace", millrace::as_bytes("1")}};
  const auto sent = producer.send_with(
      {.headers = headers, .partition = 3, .timestamp = millrace::Timestamp{77}}, &key, &value);
  CHECK(sent.get().value().partition == 3);
  CHECK(sent.get().value().timestamp == millrace::Timestamp{77});
  const auto read = topic.partition(3).value().read(Offset{0}).value();
  CHECK(read->headers().begin()->key == "trace");
  const auto by_key = producer.send("foobar", "v").get().value().partition;
  CHECK(by_key ==
        (millrace::partitioner::murmur2_hash(millrace::as_bytes("foobar")) & 0x7fffffff) % 4);
  const auto removed = producer.remove("foobar").get().value();
  CHECK(removed.partition == by_key);
  CHECK(topic.partition(by_key).value().read(removed.offset).value()->is_tombstone());
  const auto wrong = producer.send_with({.partition = 4}, &key, &value).get();
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code() == Errc::unknown_partition);
  CHECK_THAT(producer.flush().error().message(), Contains("partitions 0 to 3, not 4"));
  CHECK(producer.flush());
}

TEST_CASE("batches are no larger than the topic takes") {
  const auto broker = Broker::open(":memory:").value();
  const auto setting =
      GENERATE(std::pair("max.message.bytes", "1000"), std::pair("segment.bytes", "1024"));
  const auto topic = topic_of(broker, {.settings = {{setting.first, setting.second}}});
  Producer producer{topic, {.linger = 1h}};
  for (int i = 0; i < 1000; ++i) producer.send("k", std::to_string(i));
  CHECK(producer.flush());
  CHECK(count_records(topic) == 1000);
}

TEST_CASE("a batch stays within the topic's limit whoever sends while another is acknowledged") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = topic_of(
      broker, {.flush = millrace::flush::by_os{}, .settings = {{"max.message.bytes", "1000"}}});
  Producer producer{topic, {.linger = 1h}};
  std::thread other;
  producer.send("k", std::string(600, 'a'), [&](const auto&) {
    other = std::thread([&] { producer.send("k", std::string(600, 'b')); });
    other.join();
  });
  producer.send("k", std::string(600, 'c'));
  CHECK(producer.flush());
  CHECK(count_records(topic) == 3);
}

TEST_CASE("a sender that never waits leaves the background work its turns") {
  // Sends another record during each sync, so that there is always more to do.
  struct Feeder final : millrace::os::IoHooks {
    int before(const millrace::os::IoCall& call) noexcept override {
      const bool is_flush = call.op == millrace::os::IoOp::sync_data && call.path.ends_with(".log");
      if (!is_flush || !feed || left == 0) return 0;
      --left;
      feed();
      return 0;
    }
    std::function<void()> feed;
    int left = 100;
  } feeder;
  const millrace::test::TempDirectory temp;
  millrace::testing::ManualClock clock;
  const auto broker =
      Broker::open(temp.path(), {.background_thread = false, .clock = &clock, .io_hooks = &feeder})
          .value();
  const auto topic = topic_of(broker, {.partitions = 2});
  const auto busy = topic.partition(0).value();
  const auto quiet = topic.partition(1).value();
  for (const auto& partition : {busy, quiet}) partition.append("k", "makes the files").value();
  const std::string text = "v";
  const auto linger = GENERATE(0ms, 5ms);
  Producer producer{topic, {.linger = linger}};
  feeder.feed = [&] {
    std::thread([&] { producer.send_with({.partition = 0}, &text, &text); }).join();
  };
  producer.send_with({.partition = 0}, &text, &text);
  producer.send_with({.partition = 1}, &text, &text);
  clock.advance(linger);
  broker.run_pending();
  CHECK(quiet.offsets().end == Offset{2});
  CHECK(feeder.left > 90);
  // And what is left needs nobody to wait for it.
  for (int turns = 0; turns < 1000 && busy.offsets().end < Offset{102}; ++turns) {
    clock.advance(linger);
    broker.run_pending();
  }
  CHECK(busy.offsets().end == Offset{102});
  CHECK(producer.flush());
}

TEST_CASE("flush returns after the callbacks, also those on another thread") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = topic_of(broker);
  std::atomic<bool> entered{false};
  std::atomic<bool> left{false};
  Producer producer{topic, {.linger = 1ms}};
  producer.send("k", "v", [&](const millrace::Result<millrace::Receipt>&) {
    entered = true;
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    left = true;
  });
  while (!entered) std::this_thread::yield();
  REQUIRE(producer.flush());
  CHECK(left);
}

TEST_CASE("errors surface in the receipt, the callback and at flush") {
  const millrace::test::TempDirectory temp;
  millrace::testing::FaultyIo io;
  const auto broker = Broker::open(temp.path(), {.io_hooks = &io}).value();
  const auto topic = topic_of(broker);
  Producer producer{topic, {.linger = 1h}};
  producer.send("k", "ok").get().value();
  io.fail({.os_code = EIO, .ops = {millrace::os::IoOp::sync_data}});
  int called = 0;
  const auto sent = producer.send("k", "v", [&](const auto& receipt) {
    CHECK_FALSE(receipt);
    ++called;
  });
  CHECK(sent.get().error().code() == Errc::io_error);
  CHECK(called == 1);
  CHECK(producer.flush().error().code() == Errc::io_error);
  io.heal();
}

TEST_CASE("compressed batches read back, also from the middle") {
  using millrace::record::Codec;
  for (const auto codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    const auto broker = Broker::open(":memory:").value();
    const auto topic = topic_of(broker);
    Producer producer{topic, {.linger = 1h, .compression = codec}};
    for (int i = 0; i < 200; ++i) producer.send("key", "value " + std::to_string(i));
    producer.flush().value();
    const auto partition = topic.partition(0).value();
    CHECK(partition.read(Offset{123}).value()->value() == "value 123");
    int next = 50;
    auto scan = partition.scan(Offset{50});
    for (const auto& record : scan) CHECK(record.value() == "value " + std::to_string(next++));
    CHECK(next == 200);
  }
}

TEST_CASE("many threads share a producer and lose nothing") {
  const millrace::test::TempDirectory temp;
  const auto broker = Broker::open(temp.path()).value();
  const auto topic = topic_of(broker, {.partitions = 2});
  Producer producer{topic, {.linger = 0ms}};
  constexpr int threads = 8;
  constexpr int each = 200;
  std::atomic<int> acknowledged{0};
  std::vector<std::thread> senders;
  for (int t = 0; t < threads; ++t) {
    senders.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        const auto sent = producer.send(std::to_string(t), std::to_string(i));
        if (i % 3 != 0 || sent.get()) acknowledged.fetch_add(1);
      }
    });
  }
  for (auto& sender : senders) sender.join();
  producer.flush().value();
  CHECK(acknowledged == threads * each);
  std::map<std::string, int> next;
  for (int p = 0; p < 2; ++p) {
    auto scan = topic.partition(p).value().scan(Offset{0});
    for (const auto& record : scan) {
      // Per key, records stand in the order in which their thread sent them.
      CHECK(record.value() == std::to_string(next[record.key()]++));
    }
  }
  CHECK(next.size() == threads);
  for (const auto& [key, count] : next) CHECK(count == each);
}
