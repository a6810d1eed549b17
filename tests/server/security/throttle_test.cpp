#include <millrace/protocol/messages/fetch.hpp>
#include <millrace/protocol/messages/metadata.hpp>
#include <millrace/protocol/messages/produce.hpp>
#include <millrace/record/batch_builder.hpp>

#include "catch.hpp"
#include "secured.hpp"

using namespace millrace;
using namespace millrace::protocol;
using namespace millrace_test;

namespace {

std::vector<std::byte> batch_of(std::size_t bytes) {
  record::BatchBuilder builder;
  const std::string value(bytes, 'x');
  builder.add(Timestamp{1000}, std::nullopt, as_bytes(value)).value();
  const auto built = builder.finish().value();
  return {built.begin(), built.end()};
}

ProduceRequest produce_of(Bytes batch, std::int16_t acks) {
  ProduceRequest request;
  request.acks = acks;
  request.topic_data.push_back({.name = "orders", .partition_data = {{.records = batch}}});
  return request;
}

FetchRequest fetch_of(std::int32_t max_bytes = 1'000'000) {
  FetchRequest request;
  request.max_bytes = max_bytes;
  request.topics.push_back({.topic = "orders", .partitions = {{.partition_max_bytes = 1'000'000}}});
  return request;
}

bool has_answer(WireClient& client) {
  char byte = 0;
  return ::recv(client.plain().descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/// The clients of these tests call themselves "test"; the other one, whose quota is its own,
/// "free".
ListenOptions limited(ByteRates rates) {
  ListenOptions options;
  options.quotas = QuotaOptions{.by_client_id = {{"test", rates}}};
  return options;
}

}  // namespace

TEST_CASE("Who produces too much is told for how long, and then not read", "[throttle]") {
  Secured secured(limited({.producer = 10}));
  secured.broker.create_topic("orders").value();
  WireClient slow(secured.listener);
  WireClient other(secured.listener, "free");
  const auto batch = batch_of(100'000);
  const auto acks = GENERATE(std::int16_t{-1}, std::int16_t{0});
  slow.send(produce_of(batch, acks), 9);
  if (acks != 0) {
    const auto answer = slow.receive<ProduceResponse>(9);
    CHECK(answer.responses[0].partition_responses[0].error_code == WireError::none);
    CHECK(answer.throttle_time_ms >= 3'600'000);  // three hours; one is the most
    slow.send(MetadataRequest(), 9);
  } else {
    // The same segment, so that it is there when the first has been dealt with.
    slow.send(MetadataRequest(), 9);
  }
  for (int i = 0; i < 50; ++i) {
    CHECK(other.call<ProduceResponse>(produce_of(batch, -1), 9).throttle_time_ms == 0);
    CHECK(other.call<FetchResponse>(fetch_of(), 12).throttle_time_ms == 0);
  }
  CHECK_FALSE(has_answer(slow));
}

TEST_CASE("Who fetches too much is told for how long, and then not read", "[throttle]") {
  Secured secured(limited({.consumer = 100}));
  secured.broker.create_topic("orders").value();
  WireClient slow(secured.listener);
  WireClient other(secured.listener, "free");
  const auto batch = batch_of(100'000);
  CHECK(slow.call<ProduceResponse>(produce_of(batch, -1), 9).throttle_time_ms == 0);
  const auto fetched = slow.call<FetchResponse>(fetch_of(), 12);
  CHECK(fetched.responses[0].partitions[0].records->size() == batch.size());
  CHECK(fetched.throttle_time_ms > 900'000);
  slow.send(MetadataRequest(), 9);
  for (int i = 0; i < 50; ++i) {
    CHECK(other.call<FetchResponse>(fetch_of(), 12).throttle_time_ms == 0);
  }
  CHECK_FALSE(has_answer(slow));
}

TEST_CASE("A fetch brings no more than ten seconds of its quota", "[throttle]") {
  Secured secured(limited({.consumer = 1000}));
  secured.broker.create_topic("orders").value();
  WireClient client(secured.listener);
  const auto batch = batch_of(4000);
  for (int i = 0; i < 10; ++i) client.call<ProduceResponse>(produce_of(batch, -1), 9);
  const auto fetched = client.call<FetchResponse>(fetch_of(), 12);
  CHECK(fetched.responses[0].partitions[0].records->size() == 2 * batch.size());
  CHECK(fetched.throttle_time_ms > 0);
  CHECK(fetched.throttle_time_ms < 10'000);
}

TEST_CASE("Who has paid off is read again", "[throttle]") {
  Secured secured(limited({.producer = 1'000'000}));
  secured.broker.create_topic("orders").value();
  WireClient client(secured.listener);
  const auto batch = batch_of(900'000);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(client.call<ProduceResponse>(produce_of(batch, -1), 9).throttle_time_ms == 0);
  const auto before = std::chrono::steady_clock::now();
  const auto answer = client.call<ProduceResponse>(produce_of(batch, -1), 9);
  const std::chrono::milliseconds told(answer.throttle_time_ms);
  client.call<MetadataResponse>(MetadataRequest(), 9);
  const auto end = std::chrono::steady_clock::now();
  CHECK(end - before >= told);
  // If it was not told so, the machine took that long itself.
  CHECK(end - begin > std::chrono::milliseconds(799));
}
