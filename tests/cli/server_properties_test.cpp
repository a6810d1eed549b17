#include "cli/server_properties.hpp"

#include "catch.hpp"

using namespace millrace;
using namespace millrace::cli;
using Catch::Contains;
using namespace std::chrono_literals;

namespace {

std::string shown(std::string_view text) {
  std::string all;
  for (const Property& each : parse_properties(text)) {
    all += std::to_string(each.line) + ":" + each.name + "[" + each.value + "]";
  }
  return all;
}

ServerSettings settings_of(std::string_view text) {
  return understand(parse_properties(text), "file").value();
}

std::string objection(std::string_view text) {
  return understand(parse_properties(text), "file").error().message();
}

}  // namespace

TEST_CASE("Properties are read as Java reads them", "[properties]") {
  CHECK(shown("a=b\n c : d\ne f\r\n\n# x=1\n  ! y=2\ng") == "1:a[b]2:c[d]3:e[f]7:g[]");
  CHECK(shown("a = b c = d \n") == "1:a[b c = d ]");
  CHECK(shown("a=1,\\\n   2,\\\n\t3\nb=4") == "1:a[1,2,3]4:b[4]");
  CHECK(shown("a=x\\\\\nb=\\\\\\\nc") == "1:a[x\\]2:b[\\c]");
  CHECK(shown("a\\=b\\:c\\ d=e\\tf\\qg") == "1:a=b:c d[e\tfqg]");
  CHECK(shown("a=\\u0041\\u00e9\\u20AC\\u12") == "1:a[A\xc3\xa9\xe2\x82\xacu12]");
  CHECK(shown("a==b") == "1:a[=b]");
  CHECK(shown("a=\\") == "1:a[]");
  CHECK(shown("").empty());
  CHECK(shown("a=1\na=2") == "1:a[1]2:a[2]");
}

TEST_CASE("A file of properties cannot always be read", "[properties]") {
  CHECK_THAT(read_properties("/nowhere/at/all").error().message(),
             Contains("/nowhere/at/all") && Contains("readable"));
}

TEST_CASE("Kafka's names are understood", "[properties]") {
  const ServerSettings settings = settings_of(
      "listeners=PLAINTEXT://10.0.0.1:9093\nadvertised.listeners=PLAINTEXT://kafka.example:19093\n"
      "num.network.threads=3\nnum.io.threads=8\nsocket.request.max.bytes=1048576\n"
      "queued.max.request.bytes=2097152\nmax.connections=100\nconnections.max.idle.ms=60000\n"
      "auto.create.topics.enable=false\nnum.partitions=5\nlog.dirs=/data\n"
      "log.retention.check.interval.ms=1000\n");
  CHECK(settings.unknown.empty());
  CHECK(settings.data == "/data");
  CHECK(settings.retention_check_interval == 1000ms);
  const ListenOptions& listen = settings.listen;
  CHECK(listen.address == "10.0.0.1");
  CHECK(listen.port == 9093);
  CHECK(listen.advertised_address == "kafka.example");
  CHECK(listen.advertised_port == 19093);
  CHECK(listen.network_threads == 3);
  CHECK(listen.worker_threads == 8);
  CHECK(listen.most_request_bytes == 1'048'576);
  CHECK(listen.request_memory_bytes == 2'097'152);
  CHECK(listen.most_connections == 100);
  CHECK(listen.idle_timeout == 60s);
  CHECK_FALSE(listen.auto_create_topics);
  CHECK(listen.default_partitions == 5);
  CHECK_FALSE(listen.tls);
  CHECK_FALSE(listen.sasl);
  CHECK_FALSE(listen.quotas);
}

TEST_CASE("Settings of the broker are those that new topics have", "[properties]") {
  const auto defaults = [](std::string_view text) {
    return settings_of(text).listen.topic_defaults;
  };
  CHECK(defaults("log.retention.ms=5\nlog.segment.bytes=1048576\nlog.cleanup.policy=compact\n"
                 "message.max.bytes=2000000\nmillrace.flush.policy=by_os") ==
        TopicSettings{{"retention.ms", "5"},
                      {"segment.bytes", "1048576"},
                      {"cleanup.policy", "compact"},
                      {"max.message.bytes", "2000000"},
                      {"millrace.flush.policy", "by_os"}});
  CHECK(defaults("log.retention.hours=2") == TopicSettings{{"retention.ms", "7200000"}});
  CHECK(defaults("log.retention.hours=-1") == TopicSettings{{"retention.ms", "-1"}});
  const TopicSettings finest = {{"retention.ms", "7"}};
  CHECK(defaults("log.retention.ms=7\nlog.retention.minutes=1\nlog.retention.hours=1") == finest);
  CHECK(defaults("log.retention.hours=1\nlog.retention.minutes=1\nlog.retention.ms=7") == finest);
  CHECK(defaults("log.retention.hours=1\nlog.retention.minutes=1") ==
        TopicSettings{{"retention.ms", "60000"}});
}

TEST_CASE("Who may come in stands in the file", "[properties]") {
  const ServerSettings settings = settings_of(
      "listeners=SASL_SSL://:9094\nssl.keystore.type=PEM\nssl.keystore.location=/k.pem\n"
      "ssl.truststore.location=/ca.pem\nssl.client.auth=required\n"
      "sasl.enabled.mechanisms=PLAIN, SCRAM-SHA-512\nmillrace.user.ann=se=cret \n"
      "millrace.user.bob=pass\nsuper.users=User:ann;User:root\nmillrace.acl.file=/rules\n"
      "millrace.sasl.plain.unencrypted=true\n");
  const ListenOptions& listen = settings.listen;
  CHECK(listen.address == "0.0.0.0");
  REQUIRE(listen.tls);
  CHECK(listen.tls->certificate_chain == "/k.pem");
  CHECK(listen.tls->private_key == "/k.pem");
  CHECK(listen.tls->client_authority == "/ca.pem");
  REQUIRE(listen.sasl);
  CHECK(listen.sasl->mechanisms == std::vector{SaslMechanism::plain, SaslMechanism::scram_sha_512});
  CHECK(listen.sasl->users.at("ann") == "se=cret ");
  CHECK(listen.sasl->users.size() == 2);
  CHECK(listen.sasl->allow_plain_unencrypted);
  CHECK(listen.super_users == std::vector<std::string>{"User:ann", "User:root"});
  CHECK(listen.acl_file == "/rules");
  // Without client authentication nobody has to show a certificate.
  CHECK(settings_of("listeners=SSL://h:1\nssl.keystore.location=/k\nssl.truststore.location=/ca")
            .listen.tls->client_authority.empty());
}

TEST_CASE("Quotas stand in the file", "[properties]") {
  const auto quotas = settings_of(
                          "quota.producer.default=100\nquota.consumer.default=200\n"
                          "millrace.quota.a.b.producer_byte_rate=5\n"
                          "millrace.quota.c.consumer_byte_rate=6\n")
                          .listen.quotas.value();
  CHECK(quotas.of_each.producer == 100);
  CHECK(quotas.of_each.consumer == 200);
  CHECK(quotas.by_client_id.at("a.b").producer == 5);
  CHECK(quotas.by_client_id.at("c").consumer == 6);
  CHECK(quotas.by_client_id.size() == 2);
}

TEST_CASE("What is not known is named with its line", "[properties]") {
  const auto unknown = settings_of(
                           "zookeeper.connect=x\n\nnum.io.threads=2\n"
                           "millrace.quota.c.speed=6\nmillrace.user.=x\n")
                           .unknown;
  REQUIRE(unknown.size() == 3);
  CHECK(unknown[0] == "file:1: zookeeper.connect is not known here and has no effect");
  CHECK_THAT(unknown[1], Contains("file:4: millrace.quota.c.speed"));
  CHECK_THAT(unknown[2], Contains("file:5: millrace.user."));
}

TEST_CASE("A bad value names file, line, setting and what is allowed", "[properties]") {
  CHECK(objection("\nnum.partitions=none") ==
        "file:2: num.partitions=none is not valid: it takes a whole number from 1 to 100000");
  CHECK_THAT(objection("auto.create.topics.enable=yes"), Contains("it takes true or false"));
  for (const char* wrong : {"127.0.0.1:9092", "PLAINTEXT://h", "HTTP://h:1", "PLAINTEXT://h:x",
                            "PLAINTEXT://h:1,SSL://h:2", "PLAINTEXT://h:70000"}) {
    CHECK_THAT(objection(std::string("listeners=") + wrong),
               Contains("file:1: listeners=") && Contains("://HOST:PORT"));
  }
  CHECK_THAT(objection("sasl.enabled.mechanisms=GSSAPI"), Contains("SCRAM-SHA-256"));
  CHECK_THAT(objection("ssl.keystore.type=JKS"), Contains("it takes PEM"));
  CHECK_THAT(objection("ssl.client.auth=requested"), Contains("none or required"));
  CHECK_THAT(objection("super.users=ann"), Contains("User:ann"));
  CHECK_THAT(objection("log.dirs=/a,/b"), Contains("one directory"));
  CHECK_THAT(objection("log.segment.bytes=1"),
             Contains("log.segment.bytes=1 is not valid: it takes a whole number from"));
  CHECK_THAT(objection("quota.producer.default=0"), Contains("a whole number from 1"));
  CHECK_THAT(objection("millrace.user.ann="), Contains("it takes a password"));
  CHECK_THAT(objection("listeners=SSL://h:1"), Contains("ssl.keystore.location is missing"));
  CHECK_THAT(objection("listeners=SASL_PLAINTEXT://h:1"), Contains("millrace.user.NAME=PASSWORD"));
}
