#include <atomic>
#include <condition_variable>
#include <millrace/consumer.hpp>
#include <millrace/core/crc32c.hpp>
#include <millrace/delayed.hpp>
#include <millrace/engine/broker_core.hpp>
#include <millrace/producer.hpp>
#include <millrace/protocol/api_table.hpp>
#include <millrace/protocol/messages/api_versions.hpp>
#include <millrace/protocol/messages/fetch.hpp>
#include <millrace/protocol/messages/list_offsets.hpp>
#include <millrace/protocol/messages/metadata.hpp>
#include <millrace/protocol/messages/produce.hpp>
#include <millrace/record/batch_builder.hpp>
#include <millrace/testing/manual_clock.hpp>
#include <mutex>

#include "catch.hpp"
#include "wire_client.hpp"

using namespace millrace;
using namespace millrace::protocol;
using Catch::Contains;
using millrace_test::WireClient;

namespace {

struct Served {
  Served() : listener(broker.listen(options()).value()) { broker.create_topic("orders").value(); }
  ListenOptions options() {
    ListenOptions to;
    to.port = 0;
    to.on_problem = [this](const Error& error) {
      const std::lock_guard lock(mutex);
      problems.push_back(error.message());
      changed.notify_all();
    };
    return to;
  }
  std::string problem() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return !problems.empty(); });
    return problems.front();
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> problems;
  Broker broker = Broker::open(":memory:").value();
  Listener listener;
};

std::vector<std::byte> batch_of(int records, const std::string& value = "value") {
  record::BatchBuilder builder;
  for (int i = 0; i < records; ++i) {
    builder.add(Timestamp{1000 + i}, std::nullopt, as_bytes(value)).value();
  }
  const auto bytes = builder.finish().value();
  return {bytes.begin(), bytes.end()};
}

void seal(std::vector<std::byte>& batch) {
  const Bytes covered = Bytes(batch).subspan(record::layout::attributes);
  store_big(batch.data() + record::layout::crc, crc32c(covered));
}

ProduceRequest produce_of(Bytes batch, std::int16_t acks = -1) {
  ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 1000;
  request.topic_data.push_back(
      {.name = "orders", .partition_data = {{.index = 0, .records = batch}}});
  return request;
}

ProduceResponse::Partition produce(WireClient& client, Bytes batch) {
  return client.call<ProduceResponse>(produce_of(batch), 9).responses[0].partition_responses[0];
}

FetchRequest fetch_of(std::int64_t offset, std::int32_t min_bytes, std::int32_t max_wait_ms) {
  FetchRequest request;
  request.max_wait_ms = max_wait_ms;
  request.min_bytes = min_bytes;
  request.topics.push_back(
      {.topic = "orders",
       .partitions = {{.fetch_offset = offset, .partition_max_bytes = 1 << 20}}});
  return request;
}

const FetchResponse::Partition& only(const FetchResponse& response) {
  return response.responses.at(0).partitions.at(0);
}

}  // namespace

TEST_CASE("who asks for the versions hears of all that is served, and of nothing else") {
  Served served;
  WireClient client(served.listener);
  const auto response = client.call<ApiVersionsResponse>(ApiVersionsRequest{}, 0);
  CHECK(response.error_code == WireError::none);
  REQUIRE(response.api_keys.size() > 10);
  for (const auto& range : response.api_keys) {
    const ApiRange* api = find_api(range.api_key);
    REQUIRE(api != nullptr);
    CHECK(range.min_version == api->versions.first);
    CHECK(range.max_version == api->versions.last);
  }
}

TEST_CASE(
    "an unknown version of ApiVersions is answered in version 0, on a connection that stays") {
  Served served;
  WireClient client(served.listener);
  std::string body("\x00\x12\x00\x63\x00\x00\x00\x07\xff\xff\x00unreadable", 21);
  client.plain().send_frame(body);
  const auto answer = client.plain().receive().value();
  const auto response =
      MessageCodec<ApiVersionsResponse>::decode(as_bytes(answer).subspan(4), 0).value();
  CHECK(response.error_code == WireError::unsupported_version);
  REQUIRE(response.api_keys.size() == 1);
  CHECK(response.api_keys[0].api_key == ApiKey::api_versions);
  CHECK(client.call<ApiVersionsResponse>(ApiVersionsRequest{}, 3).error_code == WireError::none);
}

TEST_CASE("what makes no sense closes its connection, and no other") {
  Served served;
  WireClient other(served.listener);
  WireClient client(served.listener);
  SECTION("no request at all") {
    client.plain().send_frame("x");
    CHECK(client.plain().is_closed_by_peer());
  }
  SECTION("an API that is not served") {
    client.plain().send_frame(std::string("\x03\xe7\x00\x00\x00\x00\x00\x01\xff\xff", 10));
    CHECK(client.plain().is_closed_by_peer());
  }
  SECTION("a version that is not served") {
    client.plain().send_frame(std::string("\x00\x00\x00\x63\x00\x00\x00\x01\xff\xff\x00", 11));
    CHECK(client.plain().is_closed_by_peer());
    CHECK_THAT(served.problem(), Contains("Produce request of version 99"));
  }
  SECTION("a body that is cut short") {
    client.plain().send_frame(std::string("\x00\x00\x00\x03\x00\x00\x00\x01\xff\xff\x00", 11));
    CHECK(client.plain().is_closed_by_peer());
    CHECK_THAT(served.problem(), Contains("ProduceRequest"));
  }
  CHECK(other.call<ApiVersionsResponse>(ApiVersionsRequest{}, 0).error_code == WireError::none);
}

TEST_CASE("what a client produces a consumer of the process reads, and the other way round") {
  Served served;
  WireClient client(served.listener);
  const auto batch = batch_of(3, "from the wire");
  const auto produced = produce(client, batch);
  CHECK(produced.error_code == WireError::none);
  CHECK(produced.base_offset == 0);
  const auto topic = served.broker.topic<std::optional<std::string>, std::string>("orders").value();
  Consumer consumer{topic};
  const auto records = consumer.poll(std::chrono::seconds(10)).value();
  int count = 0;
  for (const auto& record : records) {
    CHECK(record.value() == "from the wire");
    ++count;
  }
  CHECK(count == 3);

  Producer producer{topic};
  producer.send(std::nullopt, "from the process").get().value();
  const auto fetched = client.call<FetchResponse>(fetch_of(3, 1, 10'000), 11);
  const auto bytes = only(fetched).records.value();
  const auto view = record::BatchView::parse(bytes).value();
  CHECK(view.base_offset() == Offset{3});
  CHECK(view.crc_matches());
  CHECK(only(fetched).high_watermark == 4);
}

TEST_CASE("batches that must not be stored are refused, and nothing of them is kept") {
  Served served;
  WireClient client(served.listener);
  auto batch = batch_of(3);
  const auto refusal = [&](std::size_t at, std::byte flip) {
    auto bad = batch;
    bad[at] ^= flip;
    if (at != record::layout::crc) seal(bad);
    return produce(client, bad);
  };
  SECTION("a wrong checksum") {
    const auto answer = refusal(record::layout::crc, std::byte{1});
    CHECK(answer.error_code == WireError::corrupt_message);
    CHECK_THAT(answer.error_message.value(), Contains("orders-0") && Contains("checksum"));
  }
  SECTION("a control batch") {
    const auto answer = refusal(record::layout::attributes + 1, std::byte{0x20});
    CHECK(answer.error_code == WireError::invalid_record);
    CHECK_THAT(answer.error_message.value(), Contains("control"));
  }
  SECTION("another number of records") {
    CHECK(refusal(record::layout::record_count + 3, std::byte{7}).error_code ==
          WireError::invalid_record);
  }
  SECTION("records that cannot be read") {
    CHECK(refusal(record::layout::header_bytes, std::byte{0x7f}).error_code ==
          WireError::invalid_record);
  }
  SECTION("too large") {
    const auto answer = produce(client, batch_of(1, std::string(2'000'000, 'x')));
    CHECK(answer.error_code == WireError::message_too_large);
  }
  SECTION("no such partition") {
    auto request = produce_of(batch);
    request.topic_data[0].partition_data[0].index = 5;
    const auto answer = client.call<ProduceResponse>(request, 9);
    CHECK(answer.responses[0].partition_responses[0].error_code ==
          WireError::unknown_topic_or_partition);
  }
  SECTION("a topic of the coordinators") {
    auto request = produce_of(batch);
    request.topic_data[0].name = "__consumer_offsets";
    const auto answer = client.call<ProduceResponse>(request, 9);
    CHECK(answer.responses[0].partition_responses[0].error_code ==
          WireError::invalid_topic_exception);
  }
  SECTION("acks that mean nothing") {
    const auto answer = client.call<ProduceResponse>(produce_of(batch, 5), 9);
    CHECK(answer.responses[0].partition_responses[0].error_code ==
          WireError::invalid_required_acks);
  }
  CHECK(produce(client, batch).base_offset == 0);
}

TEST_CASE("without acks there is no answer, and an error closes the connection") {
  Served served;
  WireClient client(served.listener);
  const auto batch = batch_of(1);
  client.send(produce_of(batch, 0), 9);
  CHECK(produce(client, batch).base_offset == 1);
  auto bad = batch;
  bad.back() ^= std::byte{1};
  client.send(produce_of(bad, 0), 9);
  CHECK(client.plain().is_closed_by_peer());
}

TEST_CASE("a fetch waits for bytes, and is woken by whoever appends them") {
  Served served;
  WireClient reader(served.listener);
  WireClient writer(served.listener);
  reader.send(fetch_of(0, 1, 60'000), 11);
  const auto batch = batch_of(2);
  SECTION("a client") {
    CHECK(produce(writer, batch).error_code == WireError::none);
  }
  SECTION("the process") {
    const auto topic =
        served.broker.topic<std::optional<std::string>, std::string>("orders").value();
    topic.partition(0).value().append(std::nullopt, "value").value();
  }
  const auto fetched = reader.receive<FetchResponse>(11);
  CHECK(record::BatchView::parse(only(fetched).records.value()).value().base_offset() == Offset{0});
}

TEST_CASE("a fetch is answered when its time is over, with what there is") {
  Served served;
  WireClient client(served.listener);
  const auto batch = batch_of(1);
  produce(client, batch);
  const auto fetched = client.call<FetchResponse>(fetch_of(0, 100'000, 20), 11);
  CHECK(only(fetched).records.value().size() == batch.size());
  const auto nothing = client.call<FetchResponse>(fetch_of(1, 1, 20), 11);
  CHECK(only(nothing).error_code == WireError::none);
  CHECK(only(nothing).records.value().empty());
}

TEST_CASE("an offset outside the log is said so at once") {
  Served served;
  WireClient client(served.listener);
  const auto fetched = client.call<FetchResponse>(fetch_of(17, 1, 60'000), 11);
  CHECK(only(fetched).error_code == WireError::offset_out_of_range);
  auto unknown = fetch_of(0, 1, 60'000);
  unknown.topics[0].topic = "nowhere";
  CHECK(only(client.call<FetchResponse>(unknown, 11)).error_code ==
        WireError::unknown_topic_or_partition);
}

TEST_CASE("delayed records are hidden from clients until their time, and then come as copies") {
  testing::ManualClock clock;
  BrokerOptions broker_options;
  broker_options.clock = &clock;
  broker_options.background_thread = false;
  const Broker broker = Broker::open(":memory:", broker_options).value();
  TopicOptions delayed;
  delayed.settings = {{"millrace.delayed.delivery", "true"}};
  const auto topic =
      broker.topic<std::optional<std::string>, std::string>("orders", delayed).value();
  ListenOptions options;
  options.port = 0;
  const Listener listener = broker.listen(options).value();
  WireClient client(listener);

  Producer producer{topic};
  producer.send(std::nullopt, "now");
  const DeliverAt at(clock.now() + std::chrono::minutes(1));
  const std::string later = "later";
  producer.send_with({.headers = at.headers()}, nullptr, &later);
  producer.send(std::nullopt, "now too");
  producer.flush().value();
  const auto values = [&](std::int64_t from) {
    std::vector<std::pair<std::int64_t, std::string>> seen;
    const auto response = client.call<FetchResponse>(fetch_of(from, 0, 0), 11);
    for (Bytes rest = only(response).records.value(); !rest.empty();) {
      const auto batch = record::BatchView::parse(rest).value();
      CHECK(batch.crc_matches());
      std::vector<std::byte> scratch;
      auto cursor = record::RecordCursor::open(batch, scratch).value();
      record::RecordView record;
      while (cursor.next(record) == record::RecordCursor::Step::record) {
        seen.emplace_back(record.offset.value(), as_text(record.value.value()));
      }
      rest = rest.subspan(batch.size());
    }
    return seen;
  };
  using Seen = std::vector<std::pair<std::int64_t, std::string>>;
  CHECK(values(0) == Seen{{0, "now"}, {2, "now too"}});
  clock.advance(std::chrono::minutes(2));
  while (broker.run_pending() > 0) {
  }
  CHECK(values(0) == Seen{{0, "now"}, {2, "now too"}, {3, "later"}});
}

TEST_CASE("a topic that is deleted is not kept by what clients did with it") {
  Served served;
  WireClient client(served.listener);
  produce(client, batch_of(1));
  client.call<FetchResponse>(fetch_of(1, 1, 1), 11);
  const std::weak_ptr<engine::Partition> partition =
      served.broker.core()->topic("orders").value()->partitions[0];
  served.broker.delete_topic("orders").value();
  // The worker that acknowledged, and the fetch, let go soon after they have answered.
  while (!partition.expired()) std::this_thread::yield();
}

TEST_CASE("a listener closes with fetches that wait, and the broker goes on") {
  Served served;
  WireClient client(served.listener);
  client.send(fetch_of(0, 1, 600'000), 11);
  WireClient other(served.listener);
  CHECK(other.call<ApiVersionsResponse>(ApiVersionsRequest{}, 0).error_code == WireError::none);
  served.listener.close();
  CHECK(client.plain().is_closed_by_peer());
  const auto topic = served.broker.topic<std::optional<std::string>, std::string>("orders").value();
  CHECK(topic.partition(0).value().append(std::nullopt, "later").has_value());
}

TEST_CASE("options and addresses that make no sense are named") {
  const Broker broker = Broker::open(":memory:").value();
  ListenOptions options;
  options.port = 0;
  options.network_threads = 0;
  CHECK_THAT(broker.listen(options).error().message(), Contains("network_threads is 0"));
  options.network_threads = 1;
  options.tls = TlsOptions{.certificate_chain = "/nowhere/cert.pem", .private_key = "key.pem"};
  CHECK_THAT(broker.listen(options).error().message(), Contains("/nowhere/cert.pem"));
  options.tls.reset();
  options.address = "no.such.host.invalid";
  CHECK(broker.listen(options).error().code() == Errc::invalid_argument);
}
