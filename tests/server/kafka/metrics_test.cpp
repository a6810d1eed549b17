#include <sys/socket.h>

#include <millrace/groups.hpp>
#include <millrace/listener.hpp>
#include <millrace/millrace.hpp>
#include <millrace/protocol/messages/metadata.hpp>
#include <millrace/protocol/messages/produce.hpp>
#include <millrace/record/batch_builder.hpp>
#include <sstream>

#include "catch.hpp"
#include "wire_client.hpp"

using namespace millrace;
using Catch::Matchers::Contains;

namespace {

struct Served {
  static ListenOptions options() {
    ListenOptions to;
    to.port = 0;
    to.metrics_address = "127.0.0.1:0";
    return to;
  }
  Broker broker = Broker::open(":memory:").value();
  Listener listener = broker.listen(options()).value();
};

/// What is answered, until the connection is closed.
std::string ask(const std::string& address, const std::string& request) {
  millrace_test::PlainClient client(address);
  if (!client.is_connected()) return {};
  REQUIRE(client.send(request + " HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"));
  std::string got;
  char piece[4096];
  for (;;) {
    const auto n = ::recv(client.descriptor(), piece, sizeof piece, 0);
    if (n <= 0) return got;
    got.append(piece, static_cast<std::size_t>(n));
  }
}

/// The value of the sample with that name and those labels.
double sample(const std::string& page, const std::string& name) {
  const auto at = page.find("\n" + name + " ");
  INFO(name << " in " << page);
  REQUIRE(at != std::string::npos);
  return std::stod(page.substr(at + name.size() + 2));
}

}  // namespace

TEST_CASE("metrics say what clients did and what there is") {
  Served served;
  const auto topic = served.broker.topic<std::string, std::string>("orders").value();
  Producer<std::string, std::string> producer(topic);
  for (int i = 0; i < 5; ++i) producer.send("k", "v").get().value();
  Groups(served.broker).reset("team", {{{"orders", 0}, std::nullopt, Offset{2}}}).value();

  millrace_test::WireClient client(served.listener);
  record::BatchBuilder batch;
  batch.add(system_clock().now(), std::nullopt, as_bytes("value")).value();
  protocol::ProduceRequest request{.acks = -1, .timeout_ms = 1000};
  request.topic_data.push_back(
      {.name = "orders",
       .partition_data = {{.index = 0, .records = Bytes(batch.finish().value())}}});
  client.call<protocol::ProduceResponse>(request, 9);
  for (int i = 0; i < 3; ++i) {
    client.call<protocol::MetadataResponse>(protocol::MetadataRequest{}, 9);
  }

  const std::string page = served.listener.metrics();
  CHECK(sample(page, "millrace_request_seconds_count{api=\"Produce\"}") == 1);
  CHECK(sample(page, "millrace_request_seconds_count{api=\"Metadata\"}") == 3);
  CHECK(sample(page, "millrace_request_seconds_bucket{api=\"Metadata\",le=\"+Inf\"}") == 3);
  CHECK(sample(page, "millrace_request_bytes_total{api=\"Produce\"}") > 70);
  CHECK(sample(page, "millrace_response_bytes_total{api=\"Metadata\"}") > 30);
  CHECK(sample(page, "millrace_flush_seconds_count") == 1);
  CHECK(sample(page, "millrace_connections") == 1);
  CHECK(sample(page, "millrace_log_end_offset{topic=\"orders\",partition=\"0\"}") == 6);
  CHECK(sample(page, "millrace_log_size_bytes{topic=\"orders\",partition=\"0\"}") > 6 * 61);
  CHECK(sample(page, "millrace_group_lag{group=\"team\",topic=\"orders\",partition=\"0\"}") == 4);
  CHECK(sample(page, "millrace_group_members{group=\"team\"}") == 0);
  CHECK(sample(page, "process_resident_memory_bytes") > 1e6);
  // Every line is a comment or a sample, and every sample has its type said before.
  std::istringstream lines(page);
  std::string named;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) named = line.substr(7, line.find(' ', 7) - 7);
    if (line.starts_with("#")) continue;
    if (!line.starts_with(named) || named.empty()) FAIL(line);
  }
}

TEST_CASE("metrics are served over HTTP, and nothing else is") {
  Served served;
  const std::string at = served.listener.metrics_address();
  const std::string page = ask(at, "GET /metrics");
  CHECK_THAT(page, Contains("200 OK") && Contains("text/plain; version=0.0.4"));
  CHECK_THAT(page, Contains("\nmillrace_connections 0\n"));
  CHECK_THAT(ask(at, "GET /"), Contains("404 Not Found"));
  CHECK_THAT(ask(at, "POST /metrics"), Contains("405 Method Not Allowed"));
  // What is no HTTP ends that connection, and no other.
  CHECK(ask(at, std::string(20'000, 'x')).find("200 OK") == std::string::npos);
  CHECK_THAT(ask(at, "GET /metrics"), Contains("200 OK"));
  served.listener.close();
  CHECK(ask(at, "GET /metrics").empty());
}

TEST_CASE("metrics at an address that cannot be had") {
  const Broker broker = Broker::open(":memory:").value();
  auto options = Served::options();
  options.metrics_address = "nowhere";
  CHECK(broker.listen(options).error().code() == Errc::invalid_argument);
  const Served served;
  options.metrics_address = served.listener.metrics_address();
  CHECK(broker.listen(options).error().code() == Errc::io_error);
}
