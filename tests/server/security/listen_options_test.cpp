#include <millrace/protocol/messages/create_topics.hpp>
#include <millrace/protocol/messages/describe_cluster.hpp>
#include <millrace/protocol/messages/metadata.hpp>

#include "catch.hpp"
#include "secured.hpp"

using namespace millrace;
using namespace millrace::protocol;
using namespace millrace_test;
using Catch::Contains;

TEST_CASE("Clients are told another port, if they come through one", "[listen]") {
  ListenOptions options;
  options.advertised_address = "kafka.example";
  options.advertised_port = 19092;
  Secured secured(options);
  WireClient client(secured.listener);
  const auto metadata = client.call<MetadataResponse>(MetadataRequest(), 9);
  CHECK(metadata.brokers[0].host == "kafka.example");
  CHECK(metadata.brokers[0].port == 19092);
  const auto cluster = client.call<DescribeClusterResponse>(DescribeClusterRequest(), 0);
  CHECK(cluster.brokers[0].port == 19092);
}

TEST_CASE("Topics that clients make have the defaults of the listener", "[listen]") {
  ListenOptions options;
  options.topic_defaults = {{"retention.ms", "1000"}, {"segment.bytes", "1048576"}};
  Secured secured(options);
  WireClient client(secured.listener);
  client.call<MetadataResponse>(MetadataRequest{.topics = {{{.name = "asked-for"}}}}, 9);
  CreateTopicsRequest request{.topics = {{"made", 1, 1}}};
  request.topics[0].configs = {{"retention.ms", "5"}};
  CHECK(client.call<CreateTopicsResponse>(request, 5).topics[0].error_code == WireError::none);
  CHECK(secured.broker.describe_topic("asked-for").value().settings == options.topic_defaults);
  CHECK(secured.broker.describe_topic("made").value().settings ==
        TopicSettings{{"retention.ms", "5"}, {"segment.bytes", "1048576"}});
  // The process's own are as it makes them.
  secured.broker.create_topic("own").value();
  CHECK(secured.broker.describe_topic("own").value().settings.empty());
}

TEST_CASE("Defaults that no topic can have are refused", "[listen]") {
  const Broker broker = Broker::open(":memory:").value();
  ListenOptions options;
  options.port = 0;
  options.topic_defaults = {{"retention.ms", "long"}};
  CHECK_THAT(broker.listen(options).error().message(),
             Contains("topic_defaults") && Contains("retention.ms=long"));
}
