#include <millrace/engine/broker_core.hpp>
#include <millrace/millrace.hpp>
#include <millrace/producer.hpp>
#include <millrace/record/batch_view.hpp>
#include <millrace/testing/faulty_io.hpp>

#include "catch.hpp"
#include "temp_directory.hpp"

using millrace::Broker;
using millrace::Errc;
using millrace::Offset;
using millrace::Producer;
using millrace::SendStatus;
using millrace::record::BatchBuilder;
using millrace::record::BatchView;
using millrace::record::ProducerIdentity;
using millrace::test::TempDirectory;
using namespace std::chrono_literals;

namespace {

using Text = millrace::Topic<std::string, std::string>;
using Bytes = std::vector<std::byte>;

Text topic_of(const Broker& broker, millrace::TopicOptions options = {}) {
  return broker.topic<std::string, std::string>("t", options).value();
}

millrace::engine::Partition& engine_of(const Text& topic, std::size_t partition = 0) {
  return *topic.core()->partitions[partition];
}

/// Copies of a partition's batches, in order.
std::vector<Bytes> batches_of(const Text& topic, std::size_t partition = 0) {
  std::vector<Bytes> batches;
  const auto list = engine_of(topic, partition).log().segments().value();
  for (const auto& segment : list->segments) {
    segment->open().value();
    for (std::uint64_t position = 0; position < segment->end();) {
      const BatchView batch = segment->batch_at(position);
      REQUIRE(batch.size() != 0);
      REQUIRE(batch.crc_matches());
      batches.emplace_back(batch.bytes().begin(), batch.bytes().end());
      position += batch.size();
    }
  }
  return batches;
}

std::vector<ProducerIdentity> identities_of(const Text& topic, std::size_t partition = 0) {
  std::vector<ProducerIdentity> all;
  for (const Bytes& batch : batches_of(topic, partition)) {
    all.push_back(BatchView::trusted(batch).producer());
  }
  return all;
}

using Identities = std::vector<ProducerIdentity>;

/// Sends `count` records to `partition` as one batch.
void send_batch(Producer<std::string, std::string>& producer, int count, int partition = 0) {
  const std::string text = "x";
  for (int i = 0; i < count; ++i) producer.send_with({.partition = partition}, &text, &text);
  producer.flush().value();
}

}  // namespace

TEST_CASE("a producer's batches carry its id and, per partition, rising sequences") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = topic_of(broker, {.partitions = 2});
  Producer producer{topic, {.linger = 1h}};
  send_batch(producer, 3, 0);
  send_batch(producer, 5, 1);
  send_batch(producer, 2, 0);
  send_batch(producer, 1, 0);
  send_batch(producer, 1, 1);
  CHECK(identities_of(topic, 0) == Identities{{0, 0, 0}, {0, 0, 3}, {0, 0, 5}});
  CHECK(identities_of(topic, 1) == Identities{{0, 0, 0}, {0, 0, 5}});
}

TEST_CASE("two producers have two ids") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = topic_of(broker);
  Producer one{topic, {.linger = 1h}};
  Producer other{topic, {.linger = 1h}};
  send_batch(one, 2);
  send_batch(other, 2);
  send_batch(one, 2);
  CHECK(identities_of(topic) == Identities{{0, 0, 0}, {1, 0, 0}, {0, 0, 2}});
}

TEST_CASE("a producer per request keeps using one id, at higher epochs") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = topic_of(broker);
  for (std::int16_t request = 0; request < 100; ++request) {
    Producer producer{topic};
    for (int i = 0; i < 2; ++i) REQUIRE(producer.send("k", "v").get());
    const auto all = identities_of(topic);
    REQUIRE(all[all.size() - 2] == ProducerIdentity{0, request, 0});
    REQUIRE(all.back() == ProducerIdentity{0, request, 1});
  }
}

TEST_CASE("a producer that is assigned to sends what it gathered and gives its id back") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = topic_of(broker);
  Producer producer{topic, {.linger = 1h}};
  const auto gathered = producer.send("k", "v");
  producer = Producer{topic, {.linger = 1h}};
  CHECK(gathered.is_done());
  send_batch(producer, 1);
  CHECK(identities_of(topic) == Identities{{0, 0, 0}, {0, 1, 0}});
  auto& same = producer;
  producer = std::move(same);
  send_batch(producer, 1);
  CHECK(identities_of(topic).back() == ProducerIdentity{0, 1, 1});
}

TEST_CASE("after reopening, producers go on under new ids") {
  const TempDirectory temp;
  for (const std::int64_t id : {0, 1000, 2000}) {
    const auto broker = Broker::open(temp.path()).value();
    const auto topic = topic_of(broker);
    Producer producer{topic, {.linger = 1h}};
    send_batch(producer, 2);
    send_batch(producer, 2);
    const auto all = identities_of(topic);
    CHECK(all[all.size() - 2] == ProducerIdentity{id, 0, 0});
    CHECK(all.back() == ProducerIdentity{id, 0, 2});
    CHECK(all.size() == static_cast<std::size_t>(2 * (id / 1000 + 1)));
  }
}

TEST_CASE("records are not taken for repetitions if the file of ids is lost") {
  const TempDirectory temp;
  {
    const auto broker = Broker::open(temp.path()).value();
    const auto topic = topic_of(broker);
    Producer producer{topic, {.linger = 1h}};
    send_batch(producer, 2);
  }
  const auto directory = millrace::os::open_directory(temp.path(), false).value();
  directory->remove(millrace::engine::ProducerIds::file_name).value();
  const auto broker = Broker::open(temp.path()).value();
  const auto topic = topic_of(broker);
  Producer producer{topic, {.linger = 1h}};
  send_batch(producer, 2);
  CHECK(identities_of(topic) == Identities{{0, 0, 0}, {1, 0, 0}});
}

TEST_CASE("an append that failed leaves no gap in the sequences") {
  using millrace::os::IoOp;
  const TempDirectory temp;
  millrace::testing::FaultyIo io;
  const auto broker = Broker::open(temp.path(), {.io_hooks = &io}).value();
  const auto topic = topic_of(broker);
  Producer producer{topic, {.linger = 1h}};
  send_batch(producer, 3);
  io.fail({.os_code = ENOSPC, .ops = {IoOp::reserve, IoOp::write}, .for_ever = true});
  const auto refused = producer.send("k", std::string(200'000, 'x')).get();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::no_space);
  CHECK(producer.flush().error().code() == Errc::no_space);
  io.heal();
  CHECK(producer.send("k", "v").get().value().offset == Offset{3});
  CHECK(producer.send("k", "v").get().value().offset == Offset{4});
  CHECK(identities_of(topic) == Identities{{0, 0, 0}, {0, 0, 3}, {0, 0, 4}});
}

TEST_CASE("without an id nothing is sent, and the next send tries again") {
  const TempDirectory temp;
  millrace::testing::FaultyIo io;
  const auto broker = Broker::open(temp.path(), {.io_hooks = &io}).value();
  const auto topic = topic_of(broker);
  Producer producer{topic};
  io.fail({.os_code = ENOSPC, .path_suffix = "producer-ids.tmp"});
  int called = 0;
  const auto refused = producer.send("k", "v", [&](const auto& receipt) {
    CHECK(receipt.error().code() == Errc::no_space);
    ++called;
  });
  CHECK(refused.status() == SendStatus::failed);
  CHECK(refused.get().error().code() == Errc::no_space);
  CHECK(called == 1);
  CHECK(producer.flush().error().code() == Errc::no_space);
  CHECK(producer.send("k", "v").get().value().offset == Offset{0});
  CHECK(identities_of(topic) == Identities{{0, 0, 0}});
}

TEST_CASE("a producer that is not idempotent has no id and writes no file") {
  const TempDirectory temp;
  const auto broker = Broker::open(temp.path()).value();
  const auto topic = topic_of(broker);
  Producer producer{topic, {.linger = 1h, .idempotent = false}};
  send_batch(producer, 3);
  send_batch(producer, 2);
  CHECK(identities_of(topic) == Identities{{-1, -1, -1}, {-1, -1, -1}});
  const auto directory = millrace::os::open_directory(temp.path(), false).value();
  CHECK_FALSE(directory->exists(millrace::engine::ProducerIds::file_name).value());
}

TEST_CASE("a batch that is handed in again is answered with its first offsets, and not stored") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = topic_of(broker);
  Producer producer{topic, {.linger = 1h}};
  for (int i = 0; i < 5; ++i) send_batch(producer, 2);
  const auto stored = batches_of(topic);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    Bytes again = stored[i];
    const auto answer = engine_of(topic).append(again).value();
    CHECK(answer.is_duplicate);
    CHECK(answer.base_offset == Offset{static_cast<std::int64_t>(2 * i)});
    CHECK(answer.next_offset == answer.base_offset + 2);
  }
  CHECK(batches_of(topic) == stored);
  send_batch(producer, 1);
  CHECK(identities_of(topic).back() == ProducerIdentity{0, 0, 10});
}

TEST_CASE("a batch that the log refuses is an error in the receipt") {
  const auto broker = Broker::open(":memory:").value();
  const auto topic = topic_of(broker);
  Producer producer{topic};
  producer.send("k", "v").get().value();
  const auto append_as = [&](const ProducerIdentity& identity, int records) {
    BatchBuilder builder({.producer = identity});
    for (int i = 0; i < records; ++i) {
      builder.add(millrace::Timestamp{1}, std::nullopt, std::nullopt).value();
    }
    engine_of(topic).append(builder.finish().value()).value();
  };
  append_as({0, 0, 1}, 2);
  CHECK(producer.send("k", "v").get().error().code() == Errc::out_of_order_sequence);
  CHECK(producer.flush().error().code() == Errc::out_of_order_sequence);
  append_as({0, 1, 0}, 1);
  CHECK(producer.send("k", "v").get().error().code() == Errc::invalid_producer_epoch);
  CHECK(producer.flush().error().code() == Errc::invalid_producer_epoch);
  CHECK(engine_of(topic).log().log_end_offset() == Offset{4});
}

TEST_CASE("idempotence goes with compression, LogAppendTime and compacted topics") {
  using millrace::record::Codec;
  const auto codec = GENERATE(Codec::none, Codec::lz4, Codec::zstd);
  const auto setting = GENERATE(std::pair("message.timestamp.type", "LogAppendTime"),
                                std::pair("cleanup.policy", "compact"));
  const auto broker = Broker::open(":memory:").value();
  const auto topic = topic_of(broker, {.settings = {{setting.first, setting.second}}});
  Producer producer{topic, {.linger = 1h, .compression = codec}};
  for (int i = 0; i < 3; ++i) send_batch(producer, 10);
  CHECK(identities_of(topic) == Identities{{0, 0, 0}, {0, 0, 10}, {0, 0, 20}});
  for (Bytes batch : batches_of(topic)) {
    CHECK(engine_of(topic).append(batch).value().is_duplicate);
  }
  std::size_t count = 0;
  auto scan = topic.partition(0).value().scan(Offset{0});
  for (const auto& record : scan) count += record.value() == "x" ? 1 : 0;
  CHECK(count == 30);
}

TEST_CASE("a producer of a closed broker takes no id") {
  const TempDirectory temp;
  auto broker = Broker::open(temp.path()).value();
  const auto topic = topic_of(broker);
  Producer producer{topic};
  broker.close().value();
  CHECK(producer.send("k", "v").get().error().code() == Errc::closed);
  CHECK(producer.flush().error().code() == Errc::closed);
}
