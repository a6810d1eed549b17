#include <millrace/engine/broker_core.hpp>
#include <millrace/millrace.hpp>
#include <millrace/partition.hpp>
#include <millrace/testing/faulty_io.hpp>
#include <millrace/testing/manual_clock.hpp>

#include "catch.hpp"
#include "temp_directory.hpp"

using Catch::Matchers::Contains;
using millrace::Broker;
using millrace::Bytes;
using millrace::Errc;
using millrace::Offset;
using millrace::Timestamp;
using millrace::test::TempDirectory;

namespace {
millrace::Partition<std::string, std::string> only_partition(const Broker& broker,
                                                             millrace::TopicOptions options = {}) {
  return broker.topic<std::string, std::string>("t", options).value().partition(0).value();
}
}  // namespace

TEST_CASE("a scan that was left goes on behind the last record that it gave") {
  const auto broker = Broker::open(":memory:").value();
  const auto partition = only_partition(broker);
  for (int i = 0; i < 20; ++i) {
    const std::string value = std::to_string(i);
    partition.handle().append(std::nullopt, millrace::as_bytes(value)).value();
  }
  auto scan = partition.scan(Offset{0});
  std::vector<std::string> seen;
  for (int walk = 0; walk < 3; ++walk) {
    for (const auto& record : scan) {
      seen.push_back(record.value());
      if (seen.size() % 7 == 0) break;
    }
  }
  CHECK(scan.status());
  REQUIRE(seen.size() == 20);
  for (int i = 0; i < 20; ++i) CHECK(seen[static_cast<std::size_t>(i)] == std::to_string(i));
  CHECK(scan.begin() == scan.end());
}

TEST_CASE("a partition appends, reads by offset and by time, and scans") {
  const auto broker = Broker::open(":memory:").value();
  const auto partition = only_partition(broker);
  const auto& bytes = partition.handle();
  for (int i = 0; i < 10; ++i) {
    const std::string value = "v" + std::to_string(i);
    const auto receipt =
        bytes.append(millrace::as_bytes("k"), millrace::as_bytes(value), {}, Timestamp{1000 + i})
            .value();
    CHECK(receipt.offset == Offset{i});
    CHECK(receipt.timestamp == Timestamp{1000 + i});
    CHECK(receipt.durability == millrace::Durability::flushed);
  }
  CHECK(partition.offsets().start == Offset{0});
  CHECK(partition.offsets().end == Offset{10});
  const auto found = partition.read(Offset{7}).value();
  CHECK(found->value() == "v7");
  CHECK(partition.offset_for_time(Timestamp{1004}).value() == Offset{4});
  CHECK(partition.offset_for_time(Timestamp{0}).value() == Offset{0});
  CHECK(partition.offset_for_time(Timestamp{5000}).value() == std::nullopt);
  int next = 3;
  auto scan = partition.scan(Offset{3});
  for (const auto& record : scan) CHECK(record.value() == "v" + std::to_string(next++));
  CHECK(next == 10);
  CHECK(scan.status());
}

TEST_CASE("reading outside the offsets says what there is") {
  const auto broker = Broker::open(":memory:").value();
  const auto partition = only_partition(broker);
  partition.append("k", "v").value();
  for (const auto offset : {Offset{1}, Offset{2}, Offset{-1}}) {
    const auto read = partition.read(offset);
    REQUIRE_FALSE(read);
    CHECK(read.error().code() == Errc::offset_out_of_range);
    CHECK(read.error().topic() == "t");
    CHECK(read.error().offsets().end == Offset{1});
  }
}

TEST_CASE("records keep headers, nulls and empty values apart") {
  const auto broker = Broker::open(":memory:").value();
  const auto partition = only_partition(broker);
  const millrace::Header headers[] = {{"h1", millrace::as_bytes("x")}, {"h2", std::nullopt}};
  partition.handle().append(std::nullopt, Bytes(), headers).value();
  partition.handle().append(Bytes(), std::nullopt).value();
  const auto first = partition.read(Offset{0}).value();
  CHECK_FALSE(first->has_key());
  CHECK_FALSE(first->is_tombstone());
  CHECK(first->value().empty());
  CHECK(first->headers().count() == 2);
  CHECK(first->headers().begin()->key == "h1");
  CHECK_FALSE(first->try_key());
  const auto second = partition.read(Offset{1}).value();
  CHECK(second->has_key());
  CHECK(second->is_tombstone());
  CHECK(second->try_value().error().code() == Errc::serialization);
}

TEST_CASE("a record above max.message.bytes is refused and named") {
  const auto broker = Broker::open(":memory:").value();
  const auto partition = only_partition(broker, {.settings = {{"max.message.bytes", "1000"}}});
  const auto refused = partition.append("k", std::string(2000, 'x'));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::record_too_large);
  CHECK_THAT(refused.error().message(), Contains("t-0") && Contains("max.message.bytes (1000)"));
  CHECK(partition.append("k", "small").value().offset == Offset{0});
}

TEST_CASE("a failed sync stops the log until it is opened again") {
  const TempDirectory temp;
  millrace::testing::FaultyIo io;
  {
    const auto broker = Broker::open(temp.path(), {.io_hooks = &io}).value();
    const auto partition = only_partition(broker);
    partition.append("k", "kept").value();
    io.fail({.os_code = EIO, .ops = {millrace::os::IoOp::sync_data}});
    const auto failed = partition.append("k", "lost");
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code() == Errc::io_error);
    CHECK(failed.error().os_code() == EIO);
    io.heal();
    const auto stopped = partition.append("k", "refused");
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().code() == Errc::log_failed);
    CHECK_THAT(stopped.error().message(), Contains("open it again"));
    CHECK(partition.read(Offset{0}).value()->value() == "kept");
    CHECK(partition.offsets().end == Offset{1});
    CHECK_FALSE(broker.close());
  }
  const auto broker = Broker::open(temp.path(), {.io_hooks = &io}).value();
  const auto partition = only_partition(broker);
  CHECK(partition.read(Offset{0}).value()->value() == "kept");
  CHECK(partition.append("k", "again"));
}

TEST_CASE("a full disk is an error, and nothing is lost") {
  const TempDirectory temp;
  millrace::testing::FaultyIo io;
  const auto broker = Broker::open(temp.path(), {.io_hooks = &io}).value();
  const auto partition = only_partition(broker);
  partition.append("k", "kept").value();
  io.fail({.os_code = ENOSPC,
           .ops = {millrace::os::IoOp::reserve, millrace::os::IoOp::write},
           .for_ever = true});
  const auto full = partition.append("k", std::string(200'000, 'x'));
  REQUIRE_FALSE(full);
  CHECK(full.error().code() == Errc::no_space);
  CHECK_THAT(full.error().message(), Contains("t-0") && Contains("free some space"));
  CHECK(partition.read(Offset{0}).value()->value() == "kept");
  io.heal();
  CHECK(partition.append("k", "after").value().offset == Offset{1});
}

TEST_CASE("a compacted topic takes no record without a key") {
  const auto broker = Broker::open(":memory:").value();
  const auto partition = only_partition(broker, {.settings = {{"cleanup.policy", "compact"}}});
  partition.append("k", "kept").value();
  const auto refused = partition.append("no key");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::invalid_record);
  CHECK_THAT(refused.error().message(), Contains("t-0") && Contains("send it with a key"));

  // In a batch, and through a producer, where its neighbours are none the worse for it.
  millrace::record::BatchBuilder batch;
  batch.add(Timestamp{1}, millrace::as_bytes("k"), millrace::as_bytes("v")).value();
  batch.add(Timestamp{1}, std::nullopt, millrace::as_bytes("v")).value();
  CHECK(partition.handle().append(batch).error().code() == Errc::invalid_record);
  millrace::Producer producer{broker.topic<std::string, std::string>("t").value()};
  const auto good = producer.send("k", "good");
  CHECK(producer.send("bad").get().error().code() == Errc::invalid_record);
  CHECK(good.get().value().offset == Offset{1});
  CHECK(partition.remove("k").value().offset == Offset{2});
  CHECK(partition.read(Offset{2}).value()->is_tombstone());

  broker.alter_topic("t", {{"cleanup.policy", "delete"}}).value();
  CHECK(partition.append("no key").value().offset == Offset{3});
}

TEST_CASE("an optional key or value may be null") {
  using Maybe = std::optional<std::string>;
  const auto broker = Broker::open(":memory:").value();
  const auto partition = broker.topic<Maybe, Maybe>("t").value().partition(0).value();
  partition.append(std::nullopt, Maybe("value")).value();
  partition.append(Maybe("key"), std::nullopt).value();
  const auto first = partition.read(Offset{0}).value();
  CHECK_FALSE(first->key());
  CHECK(first->value() == "value");
  CHECK(partition.read(Offset{1}).value()->key() == "key");
  CHECK(partition.read(Offset{1}).value()->is_tombstone());
  CHECK_FALSE(partition.read(Offset{1}).value()->value());
}

TEST_CASE("reading a compacted offset gives the next record, whatever lies between") {
  millrace::testing::ManualClock clock;
  const auto broker =
      Broker::open(":memory:", {.background_thread = false, .clock = &clock}).value();
  const auto partition = only_partition(broker, {.settings = {{"cleanup.policy", "compact"},
                                                              {"segment.bytes", "1024"},
                                                              {"min.cleanable.dirty.ratio", "0"}}});
  const auto writer = broker.core()->topic("t").value()->partitions[0];
  using millrace::record::BatchBuilder;
  using millrace::record::BatchOptions;
  const auto fill = [&](BatchBuilder& batch, int first, int last) {
    for (int i = first; i < last; ++i) {
      batch.add(clock.now(), millrace::as_bytes("k" + std::to_string(i)), millrace::as_bytes("old"))
          .value();
    }
  };
  BatchBuilder batch;
  fill(batch, 0, 10);
  partition.handle().append(batch).value();  // [0, 10), of which the last three are superseded
  BatchBuilder idempotent(BatchOptions{.producer = {7, 0, 0}});
  fill(idempotent, 7, 9);
  partition.handle().append(idempotent).value();  // [10, 12): stays without records
  BatchBuilder control(BatchOptions{.control = true});
  control.add(Timestamp{1}, Bytes(reinterpret_cast<const std::byte*>("\0\0\0\1"), 4), Bytes())
      .value();
  writer->append(control.finish().value()).value();  // 12
  for (const char* key : {"k7", "k8", "k9"}) partition.append(key, std::string(400, 'x')).value();
  partition.append("roll", std::string(900, 'x')).value();
  clock.advance(std::chrono::minutes(5));
  broker.run_pending();
  REQUIRE(partition.read(Offset{6}).value()->offset() == Offset{6});
  for (int offset = 7; offset <= 13; ++offset) {
    INFO(offset);
    const auto found = partition.read(Offset{offset});
    REQUIRE(found);
    CHECK((*found)->offset() == Offset{13});
    CHECK((*found)->key() == "k7");
  }
}

TEST_CASE("a control batch at the end is no record") {
  const auto broker = Broker::open(":memory:").value();
  const auto partition = only_partition(broker);
  const auto writer = broker.core()->topic("t").value()->partitions[0];
  millrace::record::BatchBuilder control(millrace::record::BatchOptions{.control = true});
  control.add(Timestamp{1}, Bytes(), Bytes()).value();
  const auto appended = writer->append(control.finish().value()).value();
  writer->wait_acknowledged(appended.next_offset).value();
  const auto read = partition.read(Offset{0});
  REQUIRE_FALSE(read);
  CHECK(read.error().code() == Errc::offset_out_of_range);
  CHECK_THAT(read.error().message(), Contains("no record at or after offset 0"));
}
