#include <fstream>
#include <millrace/consumer.hpp>
#include <millrace/engine/broker_core.hpp>
#include <millrace/millrace.hpp>
#include <millrace/record/compression.hpp>
#include <millrace/testing/manual_clock.hpp>
#include <thread>

#include "catch.hpp"
#include "temp_directory.hpp"

using millrace::Broker;
using millrace::Consumer;
using millrace::Errc;
using millrace::Offset;
using millrace::OffsetReset;
using namespace std::chrono_literals;

namespace {

using Text = millrace::Topic<std::string, std::string>;

Text filled_topic(const Broker& broker, int partitions, int records) {
  auto topic = broker.topic<std::string, std::string>("t", {.partitions = partitions}).value();
  for (int p = 0; p < partitions; ++p) {
    millrace::record::BatchBuilder batch;
    for (int i = 0; i < records; ++i) {
      const std::string value = std::to_string(i);
      batch.add(millrace::Timestamp{1000 + i}, std::nullopt, millrace::as_bytes(value)).value();
    }
    if (records > 0) topic.partition(p).value().handle().append(batch).value();
  }
  return topic;
}

std::vector<std::string> values(millrace::Records<std::string, std::string> records) {
  std::vector<std::string> out;
  for (const auto& record : records) out.push_back(record.value());
  CHECK(records.status());
  return out;
}

}  // namespace

TEST_CASE("a poll ends when its time is up even if what is left is half a batch") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = filled_topic(broker, 1, 10);
  auto& readable_end = topic.core()->partitions[0]->log().mutable_control().high_watermark;
  readable_end.store(5);
  Consumer consumer{topic};
  CHECK(values(consumer.poll(1ms).value()).empty());
  readable_end.store(10);
  CHECK(values(consumer.poll(1h).value()).size() == 10);
}

TEST_CASE("a consumer reads all partitions once, in order, within its limits") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = filled_topic(broker, 3, 100);
  const auto max_records = GENERATE(1, 7, 500);
  Consumer consumer{topic, {.max_records = max_records}};
  std::map<int, int> next;
  for (;;) {
    const auto records = consumer.poll(0ms).value();
    if (records.empty()) break;
    int count = 0;
    for (const auto& record : records) {
      ++count;
      CHECK(record.value() == std::to_string(next[record.partition()]++));
    }
    CHECK(count <= max_records);
  }
  CHECK(next == std::map<int, int>{{0, 100}, {1, 100}, {2, 100}});
}

TEST_CASE("seek, position, pause, resume and assign") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = filled_topic(broker, 2, 10);
  Consumer consumer{topic};
  consumer.assign({1}).value();
  CHECK(consumer.assignment() == std::vector<millrace::PartitionId>{1});
  consumer.seek(1, Offset{7}).value();
  CHECK(values(consumer.poll(0ms).value()) == std::vector<std::string>{"7", "8", "9"});
  CHECK(consumer.position(1).value() == Offset{10});
  consumer.seek_to_time(1, millrace::Timestamp{1008}).value();
  CHECK(values(consumer.poll(0ms).value()) == std::vector<std::string>{"8", "9"});
  consumer.seek_to_time(1, millrace::Timestamp{9999}).value();
  CHECK(consumer.position(1).value() == Offset{10});
  consumer.seek_to_begin(1).value();
  consumer.pause(1).value();
  CHECK(consumer.poll(0ms).value().empty());
  consumer.resume(1).value();
  CHECK(values(consumer.poll(0ms).value()).size() == 10);
  consumer.seek_to_end(1).value();
  CHECK(consumer.poll(0ms).value().empty());
  CHECK(consumer.seek(0, Offset{0}).error().code() == Errc::unknown_partition);
  CHECK(consumer.assign({5}).error().code() == Errc::unknown_partition);
  consumer.assign({0, 1}).value();
  CHECK(consumer.position(1).value() == Offset{10});
  CHECK(values(consumer.poll(0ms).value()).size() == 10);
}

TEST_CASE("a position out of range is reset as asked, or an error") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = filled_topic(broker, 1, 10);
  const auto reset = GENERATE(OffsetReset::earliest, OffsetReset::latest, OffsetReset::none);
  Consumer consumer{topic, {.auto_offset_reset = reset}};
  consumer.seek(0, Offset{999}).value();
  auto polled = consumer.poll(0ms);
  if (reset == OffsetReset::none) {
    REQUIRE_FALSE(polled);
    CHECK(polled.error().code() == Errc::offset_out_of_range);
    CHECK(polled.error().topic() == "t");
    CHECK(consumer.position(0).value() == Offset{999});
  } else {
    const auto read = values(*std::move(polled));
    CHECK(read.size() == (reset == OffsetReset::earliest ? 10u : 0u));
    CHECK(consumer.position(0).value() == Offset{10});
  }
}

TEST_CASE("a blocked poll wakes when a record comes, and when it is interrupted") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = filled_topic(broker, 2, 0);
  const auto wait = GENERATE(millrace::WaitStrategy::block, millrace::WaitStrategy::yield,
                             millrace::WaitStrategy::spin);
  Consumer consumer{topic, {.wait = wait}};
  std::thread sender([&] { topic.partition(1).value().append("k", "hello").value(); });
  CHECK(values(consumer.poll(1h).value()) == std::vector<std::string>{"hello"});
  sender.join();
  std::thread interrupter([&] { consumer.interrupt(); });
  CHECK(consumer.poll(1h).value().empty());
  interrupter.join();
}

TEST_CASE("records outlive retention, the consumer and the broker") {
  millrace::testing::ManualClock clock;
  auto broker = std::make_unique<Broker>(
      Broker::open(":memory:", {.background_thread = false, .clock = &clock}).value());
  auto topic = std::make_unique<Text>(
      broker->topic<std::string, std::string>("t", {.settings = {{"retention.ms", "10"}}}).value());
  topic->partition(0).value().append("k", "still here").value();
  auto consumer = std::make_unique<Consumer<std::string, std::string>>(*topic);
  auto records = consumer->poll(0ms).value();
  clock.advance(24h);
  broker->run_pending();
  CHECK(topic->partition(0).value().offsets().start == Offset{1});
  consumer.reset();
  topic.reset();
  broker.reset();
  const auto read = values(std::move(records));
  CHECK(read == std::vector<std::string>{"still here"});
}

TEST_CASE("damage is an error with its offsets, and reading goes on behind it") {
  const millrace::test::TempDirectory temp;
  std::uint64_t second_batch = 0;
  {
    const auto broker = Broker::open(temp.path()).value();
    const auto partition = broker.topic<std::string, std::string>("t").value().partition(0).value();
    partition.append("k", "first").value();
    second_batch = boost::filesystem::file_size(temp / "t-0" + "/00000000000000000000.log");
    partition.append("k", "second").value();
    partition.append("k", "third").value();
    broker.close().value();
    const auto size = boost::filesystem::file_size(temp / "t-0" + "/00000000000000000000.log");
    second_batch = size / 3 + 10;
  }
  {
    std::fstream file(temp / "t-0" + "/00000000000000000000.log",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(second_batch + 60));
    file.put('\x55');
  }
  const auto broker = Broker::open(temp.path()).value();
  const auto topic = broker.topic<std::string, std::string>("t").value();
  Consumer consumer{topic};
  CHECK(values(consumer.poll(0ms).value()) == std::vector<std::string>{"first"});
  const auto damaged = consumer.poll(0ms);
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().code() == Errc::corrupt_data);
  CHECK(damaged.error().offsets() == millrace::OffsetRange{Offset{1}, Offset{2}});
  CHECK(damaged.error().topic() == "t");
  consumer.seek(0, damaged.error().offsets().end).value();
  CHECK(values(consumer.poll(0ms).value()) == std::vector<std::string>{"third"});
}

TEST_CASE("polls and reads step over what compaction took") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic =
      broker.topic<std::string, std::string>("t", {.settings = {{"cleanup.policy", "compact"}}})
          .value();
  const auto codec = GENERATE(millrace::record::Codec::none, millrace::record::Codec::gzip);
  if (!millrace::record::codec_available(codec)) return;
  const auto partition = topic.partition(0).value();
  for (const std::string keys : {"abc", "dxe", "xx", "xxx"}) {
    millrace::record::BatchBuilder batch({.codec = codec});
    for (const char key : keys) {
      const std::string text(1, key);
      batch.add(millrace::Timestamp{1}, millrace::as_bytes(text), millrace::as_bytes(text)).value();
    }
    partition.handle().append(batch).value();
  }
  partition.append("a", "last").value();
  auto& log = topic.core()->partitions.front()->log();
  log.roll().value();
  log.compact(true).value();

  Consumer consumer{topic, {.max_records = GENERATE(1, 2, 3, 500)}};
  std::vector<std::int64_t> polled;
  for (;;) {
    const auto records = consumer.poll(0ms).value();
    std::size_t before = polled.size();
    for (const auto& record : records) polled.push_back(record.offset().value());
    CHECK(records.empty() == (polled.size() == before));
    if (records.empty()) break;
    CHECK(consumer.position(0).value() == Offset{polled.back() + 1});
  }
  CHECK(polled == std::vector<std::int64_t>{1, 2, 3, 5, 10, 11});
  const std::map<std::int64_t, std::int64_t> next = {{0, 1}, {2, 2}, {4, 5}, {6, 10}, {11, 11}};
  for (const auto& [asked, given] : next) {
    CHECK(partition.read(Offset{asked}).value()->offset() == Offset{given});
  }
}

TEST_CASE("what a consumer's records take in memory is bounded") {
  if (!millrace::record::codec_available(millrace::record::Codec::zstd)) return;
  const auto broker = Broker::open(":memory:").value();
  const auto topic = broker.topic<std::string, std::string>("t", {.partitions = 2}).value();
  constexpr std::size_t batch_bytes = 10'000;
  millrace::Producer producer{topic,
                              {.compression = millrace::record::Codec::zstd,
                               .partitioner = millrace::partitioner::round_robin()}};
  for (int i = 0; i < 6; ++i) {
    producer.send("k", std::string(batch_bytes, 'x'));
    producer.flush().value();
  }
  millrace::ConsumerOptions options;
  options.memory_bytes = 25'000;
  millrace::ConsumerCore consumer{broker, options};
  consumer.follow(topic.core());
  consumer.assign({{"t", 0}, {"t", 1}}).value();
  const auto count = [](millrace::FetchedRecords& fetched) {
    int records = 0;
    millrace::record::RecordView record;
    for (millrace::FetchedRecords::Cursor cursor{fetched}; cursor.next(record);) ++records;
    CHECK(fetched.status());
    return records;
  };
  auto first = std::make_optional(consumer.poll(0ms).value());
  CHECK(count(*first) == 2);
  CHECK(count(*first) == 2);  // and again
  CHECK(consumer.held_bytes() > 2 * batch_bytes);
  CHECK(consumer.held_bytes() <= options.memory_bytes);
  CHECK(consumer.poll(1h).value().parts().empty());  // does not wait for what only we can give back
  first.reset();
  CHECK(consumer.held_bytes() == 0);
  int records = 2;
  for (int i = 0; i < 3 && records < 6; ++i) {
    auto next = consumer.poll(0ms).value();
    records += count(next);
  }
  CHECK(records == 6);

  options.memory_bytes = 9'000;
  Consumer small{topic, options};
  const auto refused = small.poll(0ms);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message().find("raise ConsumerOptions::memory_bytes") != std::string::npos);
  CHECK(refused.error().offsets().end == Offset{1});
  CHECK(small.position(refused.error().partition()).value() == Offset{0});
}

namespace {

/// A compressed topic of `batches` batches in each of its partitions, of `records` records each.
Text packed_topic(const Broker& broker, int partitions, int batches, int records) {
  auto topic = broker.topic<std::string, std::string>("t", {.partitions = partitions}).value();
  for (int p = 0; p < partitions; ++p) {
    for (int n = 0; n < batches; ++n) {
      millrace::record::BatchBuilder batch({.codec = millrace::record::Codec::zstd});
      for (int i = 0; i < records; ++i) {
        const std::string value = std::to_string(n * records + i);
        batch.add(millrace::Timestamp{1}, std::nullopt, millrace::as_bytes(value)).value();
      }
      topic.partition(p).value().handle().append(batch).value();
    }
  }
  return topic;
}

millrace::ConsumerCore core_of(const Broker& broker, const Text& topic,
                               const millrace::ConsumerOptions& options) {
  millrace::ConsumerCore consumer{broker, options};
  consumer.follow(topic.core());
  std::vector<millrace::TopicPartition> all;
  for (int p = 0; p < topic.partition_count(); ++p) all.push_back({"t", p});
  consumer.assign(all).value();
  return consumer;
}

std::vector<std::string> poll(millrace::ConsumerCore& consumer) {
  return values(millrace::Records<std::string, std::string>(consumer.poll(0ms).value()));
}

}  // namespace

TEST_CASE("a compressed batch is decompressed once, however few records a poll takes") {
  if (!millrace::record::codec_available(millrace::record::Codec::zstd)) return;
  const auto broker = Broker::open(":memory:").value();
  const auto topic = packed_topic(broker, 1, 3, 1000);
  const auto max_records = GENERATE(1, 7, 500, 1000, 1500, 5000);
  auto consumer = core_of(broker, topic, {.max_records = max_records});
  std::vector<std::string> all;
  for (auto some = poll(consumer); !some.empty(); some = poll(consumer)) {
    CHECK(static_cast<int>(some.size()) <= max_records);
    all.insert(all.end(), some.begin(), some.end());
  }
  REQUIRE(all.size() == 3000);
  for (int i = 0; i < 3000; ++i) REQUIRE(all[static_cast<std::size_t>(i)] == std::to_string(i));
  CHECK(consumer.unpacked_batches() == 3);
  CHECK(consumer.held_bytes() == 0);
}

TEST_CASE("what was decompressed is given up when it is not read on") {
  if (!millrace::record::codec_available(millrace::record::Codec::zstd)) return;
  const auto broker = Broker::open(":memory:").value();
  const auto topic = packed_topic(broker, 1, 2, 100);
  auto consumer = core_of(broker, topic, {.max_records = 10});
  REQUIRE(poll(consumer).size() == 10);
  CHECK(consumer.held_bytes() > 0);
  SECTION("the position moved") {
    consumer.seek({"t", 0}, Offset{50}).value();
    CHECK(consumer.held_bytes() == 0);
    CHECK(poll(consumer).front() == "50");
  }
  SECTION("the partition is paused") {
    consumer.pause({"t", 0}).value();
    CHECK(consumer.held_bytes() == 0);
    consumer.resume({"t", 0}).value();
    CHECK(poll(consumer).front() == "10");
  }
  SECTION("the partition is not assigned any more") {
    consumer.assign({}).value();
    CHECK(consumer.held_bytes() == 0);
  }
}

TEST_CASE("a consumer does not run out of memory by what it has not given out") {
  if (!millrace::record::codec_available(millrace::record::Codec::zstd)) return;
  const auto broker = Broker::open(":memory:").value();
  const auto topic = packed_topic(broker, 3, 2, 100);
  const auto one_batch = [&] {
    auto consumer = core_of(broker, topic, {.max_records = 1});
    REQUIRE(poll(consumer).size() == 1);
    return consumer.held_bytes();
  }();
  auto consumer = core_of(broker, topic, {.max_records = 10, .memory_bytes = one_batch * 3 / 2});
  std::size_t seen = 0;
  for (int polls = 0; polls < 3; ++polls) seen += poll(consumer).size();
  for (int p = 0; p < 3; ++p) CHECK(consumer.position({"t", p}).value() == Offset{10});
  for (int polls = 3; polls < 60; ++polls) seen += poll(consumer).size();
  CHECK(seen == 600);
  CHECK(consumer.held_bytes() == 0);
}
