#include <algorithm>
#include <map>
#include <millrace/client/fetcher.hpp>
#include <millrace/client/producer.hpp>
#include <millrace/listener.hpp>
#include <millrace/millrace.hpp>
#include <millrace/protocol/messages/metadata.hpp>

#include "catch.hpp"

using namespace millrace;
using client::Cluster;
using client::Connection;
using client::Fetcher;

namespace {

struct Served {
  Served() { broker.create_topic("orders", {.partitions = 2}).value(); }
  static ListenOptions options() {
    ListenOptions to;
    to.port = 0;
    return to;
  }
  std::vector<std::string> read(bool is_committed_only = true) {
    Fetcher fetcher(*cluster, cluster->topic("orders").value(),
                    {.most_wait = std::chrono::milliseconds(0),
                     .most_partition_bytes = 1000,
                     .committed_only = is_committed_only});
    for (std::int32_t id = 0; id < fetcher.partition_count(); ++id) fetcher.seek(id, Offset{0});
    std::vector<std::string> values;
    const auto take = [&](const TopicPartition& partition, const record::RecordView& record) {
      values.push_back(std::to_string(partition.partition) + ":" +
                       std::to_string(record.offset.value()) + "=" +
                       std::string(as_text(record.value.value_or(as_bytes("null")))));
    };
    // Markers and what was aborted give no records, but move the positions.
    std::map<std::int32_t, Offset> before;
    do {
      before = fetcher.positions();
      fetcher.poll(take).value();
    } while (fetcher.positions() != before);
    std::sort(values.begin(), values.end());
    return values;
  }

  Broker broker = Broker::open(":memory:").value();
  Listener listener = broker.listen(options()).value();
  std::unique_ptr<Cluster> cluster = Cluster::connect(listener.address()).value();
};

/// `value` must outlive it.
client::OutgoingRecord record_of(std::int32_t partition, std::string_view value) {
  return {.partition = partition,
          .timestamp = system_clock().now(),
          .key = as_bytes("k"),
          .value = as_bytes(value)};
}

}  // namespace

TEST_CASE("a producer tells of each record where it is") {
  Served served;
  client::ProducerOptions options;
  options.batch_bytes = 300;
  options.codec = GENERATE(record::Codec::none, record::Codec::zstd);
  options.acks = GENERATE(std::int16_t{-1}, std::int16_t{1}, std::int16_t{0});
  options.idempotent = options.acks == -1;
  const auto producer = client::Producer::open(*served.cluster, "orders", options).value();
  CHECK(producer->partition_count() == 2);
  std::vector<std::int64_t> offsets[2];
  for (int i = 0; i < 100; ++i) {
    const std::string value = std::to_string(i);
    auto record = record_of(i % 2, value);
    record.callback = [&offsets, i](const Result<Offset>& offset) {
      offsets[i % 2].push_back(offset.value().value());
    };
    producer->send(record).value();
  }
  producer->flush().value();
  for (const auto& of_one : offsets) {
    REQUIRE(of_one.size() == 50);
    for (std::size_t i = 0; i < of_one.size(); ++i) {
      if (of_one[i] != (options.acks == 0 ? -1 : static_cast<std::int64_t>(i))) FAIL(of_one[i]);
    }
  }
  // Without acks they are seen once they are flushed, which nobody waits for.
  while (options.acks == 0 && served.read().size() < 100) {
  }
  CHECK(served.read().size() == 100);
}

TEST_CASE("a record that is refused fails alone, and later ones go on") {
  Served served;
  const auto producer = client::Producer::open(*served.cluster, "orders").value();
  served.broker.alter_topic("orders", {{"max.message.bytes", "500"}}).value();
  std::vector<Errc> refused;
  const std::string too_long(1000, 'x');
  auto large = record_of(0, too_long);
  large.callback = [&](const Result<Offset>& offset) { refused.push_back(offset.error().code()); };
  producer->send(large).value();
  const auto flushed = producer->flush();
  REQUIRE_FALSE(flushed);
  CHECK(flushed.error().code() == Errc::record_too_large);
  CHECK(flushed.error().topic() == "orders");
  CHECK(refused == std::vector{Errc::record_too_large});
  producer->send(record_of(1, "small")).value();
  CHECK(producer->flush());
  CHECK(served.read() == std::vector<std::string>{"1:0=small"});
}

TEST_CASE("readers of committed records see those of committed transactions") {
  Served served;
  client::ProducerOptions options;
  options.transactional_id = "billing";
  const auto producer = client::Producer::open(*served.cluster, "orders", options).value();
  const auto plain = client::Producer::open(*served.cluster, "orders").value();
  CHECK_FALSE(plain->begin_transaction());
  for (const bool is_commit : {true, false, true}) {
    producer->begin_transaction().value();
    CHECK_FALSE(producer->begin_transaction());
    producer->send(record_of(0, is_commit ? "in" : "out")).value();
    producer->send(record_of(1, is_commit ? "in" : "out")).value();
    producer->flush().value();
    plain->send(record_of(0, "plain")).value();
    plain->flush().value();
    producer->end_transaction(is_commit).value();
  }
  // One without records.
  producer->begin_transaction().value();
  CHECK(producer->end_transaction(true));
  CHECK(served.read() == std::vector<std::string>{"0:0=in", "0:1=plain", "0:4=plain", "0:6=in",
                                                  "0:7=plain", "1:0=in", "1:4=in"});
  CHECK(served.read(false).size() == 9);
  // Another one with its name fences it.
  const auto next = client::Producer::open(*served.cluster, "orders", options).value();
  producer->begin_transaction().value();
  static_cast<void>(producer->send(record_of(0, "late")));
  CHECK_FALSE(producer->end_transaction(true));
  CHECK(served.read().size() == 7);
}

TEST_CASE("what is not there is an error that says so") {
  Served served;
  CHECK(served.cluster->topic("bills").error().code() == Errc::unknown_topic);
  const auto topic = served.cluster->topic("orders").value();
  CHECK(served.cluster->leader_of(topic, 2).error().code() == Errc::unknown_partition);
  CHECK(served.cluster->node(7).error().code() == Errc::io_error);
  // Looking for a topic makes none.
  CHECK(served.broker.topics().value().size() == 1);
  Fetcher fetcher(*served.cluster, topic, {.most_wait = std::chrono::milliseconds(0)});
  fetcher.seek(0, Offset{5});
  const auto beyond = fetcher.poll([](const auto&, const auto&) {});
  REQUIRE_FALSE(beyond);
  CHECK(beyond.error().code() == Errc::offset_out_of_range);
  CHECK(beyond.error().partition() == 0);
  CHECK(fetcher.position(0) == Offset{5});
  CHECK_FALSE(fetcher.find(0, 0).value().has_value());
  CHECK(fetcher.find(0, -1).value() == Offset{0});
}

TEST_CASE("the first address that answers is taken") {
  Served served;
  CHECK(Cluster::connect("127.0.0.1:1," + served.listener.address()));
  const auto none = Cluster::connect("127.0.0.1:1,127.0.0.1:2");
  REQUIRE_FALSE(none);
  CHECK_THAT(none.error().message(), Catch::Matchers::Contains("127.0.0.1:2"));
  CHECK(Cluster::connect("").error().code() == Errc::invalid_argument);
}

TEST_CASE("a connection speaks the newest version that both know") {
  Served served;
  const auto connection = Connection::open(served.listener.address()).value();
  using protocol::ApiKey;
  CHECK(connection->version_of(ApiKey::fetch, protocol::between(0, 16)).value() == 16);
  CHECK(connection->version_of(ApiKey::fetch, protocol::between(0, 12)).value() == 12);
  const auto beyond = connection->version_of(ApiKey::fetch, protocol::between(90, 99));
  REQUIRE_FALSE(beyond);
  CHECK(beyond.error().code() == Errc::unsupported);
  CHECK_THAT(beyond.error().message(), Catch::Matchers::Contains("Fetch"));
  // Many requests ahead are answered in their order.
  protocol::MetadataRequest request;
  for (int i = 0; i < 50; ++i) {
    request.topics->assign(1, {.name = "t" + std::to_string(i)});
    request.allow_auto_topic_creation = false;
    connection->send(request).value();
  }
  for (int i = 0; i < 50; ++i) {
    const auto response = connection->receive<protocol::MetadataResponse>().value();
    CHECK(response.topics.at(0).name == "t" + std::to_string(i));
  }
  CHECK(connection->unanswered() == 0);
}
