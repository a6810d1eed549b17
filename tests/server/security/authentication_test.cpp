#include <millrace/protocol/messages/api_versions.hpp>
#include <millrace/protocol/messages/metadata.hpp>
#include <millrace/protocol/messages/produce.hpp>
#include <millrace/protocol/messages/sasl_authenticate.hpp>
#include <millrace/protocol/messages/sasl_handshake.hpp>

#include "catch.hpp"
#include "secured.hpp"

using namespace millrace;
using namespace millrace::protocol;
using namespace millrace_test;
using Catch::Contains;
using enum SaslMechanism;

namespace {

ListenOptions with_ann(std::vector<SaslMechanism> mechanisms = {plain, scram_sha_256,
                                                                scram_sha_512}) {
  ListenOptions options;
  options.sasl = SaslOptions{.mechanisms = std::move(mechanisms), .users = {{"ann", "secret"}}};
  return options;
}

SaslHandshakeResponse shake(WireClient& client, const std::string& mechanism,
                            ApiVersion version = 1) {
  return client.call<SaslHandshakeResponse>(SaslHandshakeRequest{mechanism}, version);
}

struct Answer {
  WireError error;
  std::string text;
  std::string bytes;
};

Answer authenticate(WireClient& client, const std::string& token, ApiVersion version = 2) {
  SaslAuthenticateRequest request;
  request.auth_bytes = as_bytes(token);
  const auto response = client.call<SaslAuthenticateResponse>(request, version);
  return {response.error_code, response.error_message.value_or(""),
          std::string(as_text(response.auth_bytes))};
}

bool is_served(WireClient& client) {
  client.send(MetadataRequest(), 9);
  return client.plain().receive().has_value();
}

std::vector<ApiKey> advertised(WireClient& client) {
  std::vector<ApiKey> keys;
  for (const auto& api : client.call<ApiVersionsResponse>(ApiVersionsRequest(), 3).api_keys) {
    keys.push_back(api.api_key);
  }
  return keys;
}

}  // namespace

TEST_CASE("A client proves who it is with SCRAM", "[authentication]") {
  Secured secured(with_ann());
  const bool is_long = GENERATE(false, true);
  const auto digest = is_long ? server::Digest::sha_512 : server::Digest::sha_256;
  const ApiVersion version = GENERATE(as<ApiVersion>{}, 0, 1, 2);
  // The second time goes by keys that are known.
  for (int i = 0; i < 2; ++i) {
    WireClient client(secured.listener);
    CHECK(shake(client, is_long ? "SCRAM-SHA-512" : "SCRAM-SHA-256").error_code == WireError::none);
    ScramClient ann(digest, "ann", "secret");
    const Answer first = authenticate(client, ann.first(), version);
    REQUIRE(first.error == WireError::none);
    const Answer last = authenticate(client, ann.last(first.bytes), version);
    CHECK(last.error == WireError::none);
    CHECK(last.bytes == ann.verifier());
    CHECK(is_served(client));
  }
}

TEST_CASE("A client proves who it is with PLAIN", "[authentication]") {
  Secured secured(with_ann());
  WireClient client(secured.listener);
  const auto shaken = shake(client, "PLAIN");
  CHECK(shaken.error_code == WireError::none);
  CHECK(shaken.mechanisms == std::vector<std::string>{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"});
  CHECK(authenticate(client, plain_token("ann", "secret")).error == WireError::none);
  CHECK(is_served(client));
  // Once is enough.
  CHECK(shake(client, "PLAIN").error_code == WireError::illegal_sasl_state);
  CHECK(authenticate(client, plain_token("ann", "secret")).error == WireError::illegal_sasl_state);
  CHECK(is_served(client));
}

TEST_CASE("Who cannot prove it is told so and nothing else", "[authentication]") {
  Secured secured(with_ann());
  WireClient client(secured.listener);
  const std::string user = GENERATE("ann", "nobody");
  std::string text;
  SECTION("PLAIN") {
    shake(client, "PLAIN");
    const Answer answer = authenticate(client, plain_token(user, "wrong"));
    CHECK(answer.error == WireError::sasl_authentication_failed);
    text = answer.text;
  }
  SECTION("SCRAM") {
    shake(client, "SCRAM-SHA-256");
    ScramClient scram(server::Digest::sha_256, user, "wrong");
    const Answer first = authenticate(client, scram.first());
    REQUIRE(first.error == WireError::none);
    const Answer answer = authenticate(client, scram.last(first.bytes));
    CHECK(answer.error == WireError::sasl_authentication_failed);
    CHECK(answer.bytes.empty());
    text = answer.text;
  }
  CHECK(text == "Authentication failed: invalid user name or password");
  CHECK_THAT(secured.problem(), Contains("could not prove that it is '" + user + "'"));
  CHECK_THAT(secured.problem(), !Contains("wrong"));
  // There is no second try.
  client.send(SaslHandshakeRequest{"PLAIN"}, 1);
  CHECK(client.plain().is_closed_by_peer());
}

TEST_CASE("A mechanism that is not served is answered with those that are", "[authentication]") {
  Secured secured(with_ann({scram_sha_256}));
  WireClient client(secured.listener);
  const std::string wrong = GENERATE("PLAIN", "GSSAPI", "", "scram-sha-256");
  const auto answer = shake(client, wrong);
  CHECK(answer.error_code == WireError::unsupported_sasl_mechanism);
  CHECK(answer.mechanisms == std::vector<std::string>{"SCRAM-SHA-256"});
  CHECK(shake(client, "SCRAM-SHA-256").error_code == WireError::none);
}

TEST_CASE("Before a client has said who it is nothing else is served", "[authentication]") {
  Secured secured(with_ann());
  WireClient client(secured.listener);
  const auto keys = advertised(client);
  CHECK(std::count(keys.begin(), keys.end(), ApiKey::sasl_handshake) == 1);
  CHECK(std::count(keys.begin(), keys.end(), ApiKey::sasl_authenticate) == 1);
  const bool is_shaken = GENERATE(false, true);
  if (is_shaken) shake(client, "SCRAM-SHA-256");
  CHECK_FALSE(is_served(client));
  CHECK_THAT(secured.problem(), Contains("has not said yet who it is"));
}

TEST_CASE("Tokens come after the handshake", "[authentication]") {
  Secured secured(with_ann());
  WireClient client(secured.listener);
  CHECK(authenticate(client, plain_token("ann", "secret")).error == WireError::illegal_sasl_state);
  CHECK_FALSE(is_served(client));
}

TEST_CASE("Old clients send tokens without a header", "[authentication]") {
  Secured secured(with_ann());
  WireClient client(secured.listener);
  SECTION("PLAIN") {
    shake(client, "PLAIN", 0);
    client.plain().send_frame(plain_token("ann", "secret"));
    CHECK(client.plain().receive() == "");
    CHECK(is_served(client));
  }
  SECTION("SCRAM") {
    shake(client, "SCRAM-SHA-512", 0);
    ScramClient ann(server::Digest::sha_512, "ann", "secret");
    client.plain().send_frame(ann.first());
    const auto first = client.plain().receive();
    REQUIRE(first);
    client.plain().send_frame(ann.last(*first));
    CHECK(client.plain().receive() == ann.verifier());
    CHECK(is_served(client));
  }
  SECTION("a wrong one closes the connection") {
    shake(client, "PLAIN", 0);
    client.plain().send_frame(plain_token("ann", "wrong"));
    CHECK(client.plain().is_closed_by_peer());
  }
}

TEST_CASE("Who has not authenticated itself may not send much", "[authentication]") {
  Secured secured(with_ann());
  WireClient client(secured.listener);
  shake(client, "PLAIN");
  client.plain().send(std::string("\x00\x08\x00\x01", 4));  // 512 KiB and one byte
  CHECK(client.plain().is_closed_by_peer());
  CHECK_THAT(secured.problem(), Contains("524289") && Contains("524288 are the most") &&
                                    Contains("before it has authenticated itself"));

  WireClient ann(secured.listener);
  shake(ann, "PLAIN");
  CHECK(authenticate(ann, plain_token("ann", "secret")).error == WireError::none);
  MetadataRequest large;
  for (int i = 0; i < 100; ++i) large.topics->push_back({.name = std::string(10'000, 'x')});
  CHECK(ann.call<MetadataResponse>(large, 9).topics.size() == 100);
}

TEST_CASE("A service may know the passwords itself", "[authentication]") {
  ListenOptions options;
  std::atomic<int> asked = 0;
  options.sasl = SaslOptions{
      .mechanisms = {plain, scram_sha_256}, .password_of = [&](const std::string& user) {
        ++asked;
        return user == "bob" ? std::optional<std::string>("pass") : std::nullopt;
      }};
  Secured secured(options);
  WireClient bob(secured.listener);
  shake(bob, "PLAIN");
  CHECK(authenticate(bob, plain_token("bob", "pass")).error == WireError::none);
  WireClient eve(secured.listener);
  shake(eve, "PLAIN");
  CHECK(authenticate(eve, plain_token("eve", "pass")).error ==
        WireError::sasl_authentication_failed);
  CHECK(asked == 2);
}

TEST_CASE("Without SASL there is no word of it", "[authentication]") {
  Secured open(ListenOptions{});
  WireClient client(open.listener);
  const auto keys = advertised(client);
  CHECK(std::count(keys.begin(), keys.end(), ApiKey::sasl_handshake) == 0);
  CHECK(std::count(keys.begin(), keys.end(), ApiKey::describe_acls) == 0);
  client.send(SaslHandshakeRequest{"PLAIN"}, 1);
  CHECK(client.plain().is_closed_by_peer());
}

TEST_CASE("Passwords do not cross a network for all to read", "[authentication]") {
  const Broker broker = Broker::open(":memory:").value();
  ListenOptions options = with_ann();
  options.port = 0;
  options.address = GENERATE("0.0.0.0", "::", "127.0.0.1.example.org");
  const auto refused = broker.listen(options);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::invalid_argument);
  CHECK_THAT(refused.error().message(), Contains("SASL PLAIN and without TLS") &&
                                            Contains("SCRAM-SHA-256") &&
                                            Contains("allow_plain_unencrypted"));
}

TEST_CASE("... but they may if one says so, or with SCRAM", "[authentication]") {
  const Broker broker = Broker::open(":memory:").value();
  ListenOptions options = with_ann();
  options.port = 0;
  options.address = "0.0.0.0";
  options.sasl->allow_plain_unencrypted = true;
  CHECK(broker.listen(options));
  options.sasl->allow_plain_unencrypted = false;
  options.sasl->mechanisms = {scram_sha_256, scram_sha_512};
  CHECK(broker.listen(options));
}
