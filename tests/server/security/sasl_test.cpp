#include "catch.hpp"
#include "server/security/credentials.hpp"
#include "server/security/sasl_session.hpp"

using namespace millrace;
using namespace millrace::server;
using Catch::Contains;
using State = SaslExchange::State;

namespace {

/// What RFC 7677 has as its example, and the same with the longer digest.
struct Example {
  Digest digest;
  std::string proof;
  std::string signature;
};

const std::string client_nonce = "rOprNGfwEbeRWgbNEkqO";
const std::string server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const std::string salt = "W22ZaJ0SNY7soEsUEjb6gQ==";
const Example sha_256 = {Digest::sha_256, "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                         "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="};
const Example sha_512 = {
    Digest::sha_512,
    "gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
    "ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw=="};

std::unique_ptr<SaslExchange> begin(const Example& example) {
  return scram_exchange({.digest = example.digest,
                         .nonce = server_nonce,
                         .salt_of = [](const std::string&) { return from_base64(salt).value(); },
                         .keys_of =
                             [&](const std::string& user) {
                               return user == "user" ? scram_keys(example.digest, "pencil",
                                                                  *from_base64(salt), 4096)
                                                     : ScramKeys{"nobody", "nobody"};
                             }});
}

std::string final_of(const std::string& proof, const std::string& binding = "biws") {
  return "c=" + binding + ",r=" + client_nonce + server_nonce + ",p=" + proof;
}

SaslExchange::Step plain(const std::string& token) {
  const auto exchange = plain_exchange([](const std::string& user, std::string_view is) {
    return user == "tim" && is == "tanstaaf";
  });
  return exchange->take(token);
}

std::string zeros(std::string text) {
  std::replace(text.begin(), text.end(), '|', '\0');
  return text;
}

}  // namespace

TEST_CASE("SCRAM says what the RFC's example says", "[sasl]") {
  const Example example = GENERATE(sha_256, sha_512);
  const auto exchange = begin(example);
  const auto first = exchange->take("n,,n=user,r=" + client_nonce);
  CHECK(first.state == State::goes_on);
  CHECK(first.answer == "r=" + client_nonce + server_nonce + ",s=" + salt + ",i=4096");
  const auto last = exchange->take(final_of(example.proof));
  CHECK(last.state == State::done);
  CHECK(last.answer == "v=" + example.signature);
  CHECK(exchange->user() == "user");
  CHECK(exchange->take(final_of(example.proof)).state == State::failed);
}

TEST_CASE("SCRAM lets nobody in whose last words are not right", "[sasl]") {
  const std::string last = GENERATE_COPY(
      final_of("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVU="), final_of(""), final_of("dHzb"),
      final_of("not base64"), final_of(sha_256.proof, "eSws"), final_of(sha_256.proof, ""),
      "c=biws,r=" + client_nonce + ",p=" + sha_256.proof,
      "c=biws,r=" + server_nonce + ",p=" + sha_256.proof, "c=biws,p=" + sha_256.proof,
      "c=biws,r=" + client_nonce + server_nonce, std::string(), std::string(100'000, ','));
  const auto exchange = begin(sha_256);
  REQUIRE(exchange->take("n,,n=user,r=" + client_nonce).state == State::goes_on);
  const auto step = exchange->take(last);
  CHECK(step.state == State::failed);
  CHECK(step.answer.empty());
  CHECK(exchange->take(final_of(sha_256.proof)).state == State::failed);
}

TEST_CASE("SCRAM refuses first words that make no sense or ask for what it has not", "[sasl]") {
  const std::string first =
      GENERATE("", "n", "n,", "n,,", "n,,n=user", "n,,n=user,r=", "n,,n=,r=abc", "n,,r=abc,n=user",
               "p=tls-unique,,n=user,r=abc", "n,,m=must,n=user,r=abc", "n,a=other,n=user,r=abc",
               "n,,n=us=2Der,r=abc", "n,,n=us=,r=abc", "n,,n=user,r=a\tb", "x,,n=user,r=abc");
  CHECK(begin(sha_256)->take(first).state == State::failed);
}

TEST_CASE("SCRAM takes the nonce that librdkafka has doubled", "[sasl]") {
  const auto exchange = begin(sha_256);
  const auto first = exchange->take("n,,n=user,r=" + client_nonce);
  const std::string without_proof = "c=biws,r=" + client_nonce + client_nonce + server_nonce;
  const std::string all_said =
      "n=user,r=" + client_nonce + "," + first.answer + "," + without_proof;
  const std::string salted = stretch(Digest::sha_256, "pencil", *from_base64(salt), 4096);
  std::string proof = hmac(Digest::sha_256, salted, "Client Key");
  const std::string signature = hmac(Digest::sha_256, hash(Digest::sha_256, proof), all_said);
  for (std::size_t i = 0; i < proof.size(); ++i) {
    proof[i] = static_cast<char>(proof[i] ^ signature[i]);
  }
  CHECK(exchange->take(without_proof + ",p=" + to_base64(proof)).state == State::done);
}

TEST_CASE("SCRAM takes names with commas, one's own name to act for, extensions", "[sasl]") {
  const auto exchange = begin(sha_256);
  const auto step = exchange->take("y,a=a=2Cb=3Dc,n=a=2Cb=3Dc,r=abc,tokenauth=true");
  CHECK(step.state == State::goes_on);
  CHECK(exchange->user() == "a,b=c");
}

TEST_CASE("PLAIN takes a name and its password", "[sasl]") {
  CHECK(plain(zeros("|tim|tanstaaf")).state == State::done);
  CHECK(plain(zeros("tim|tim|tanstaaf")).state == State::done);
  const std::string wrong =
      GENERATE("|tim|wrong", "|tim|", "||tanstaaf", "|ann|tanstaaf", "ann|tim|tanstaaf",
               "tim|tanstaaf", "tim", "", "|tim|tanstaaf|", "|tim|tanstaaf|x");
  CHECK(plain(zeros(wrong)).state == State::failed);
}

TEST_CASE("base64 is taken in its one right form", "[sasl]") {
  CHECK(to_base64("") == "");
  CHECK(to_base64("n,,") == "biws");
  CHECK(from_base64("Zm9vYg==") == "foob");
  CHECK(from_base64("") == "");
  for (const char* wrong : {"Zm9vYg", "Zm9vYh==", " Zm9", "Zm9v\n", "====", "Z===", "Zm9vYg=a"}) {
    CHECK_FALSE(from_base64(wrong).has_value());
  }
}

TEST_CASE("Who does not exist looks like who does", "[sasl]") {
  const auto credentials = Credentials::make({.users = {{"ann", "secret"}}}).value();
  const auto salt_of = [&](const std::string& user) {
    const auto answer =
        credentials->begin(SaslMechanism::scram_sha_256)->take("n,,n=" + user + ",r=abc").answer;
    return answer.substr(answer.find(",s="));
  };
  CHECK(salt_of("nobody") == salt_of("nobody"));
  CHECK(salt_of("ann") == salt_of("ann"));
  CHECK(salt_of("ann") != salt_of("nobody"));
  CHECK(salt_of("ann").size() == salt_of("nobody").size());
  CHECK(credentials->begin(SaslMechanism::plain) == nullptr);
}

TEST_CASE("Options of SASL that let nobody in are refused", "[sasl]") {
  const auto text = [](const SaslOptions& options) {
    return Credentials::make(options).error().message();
  };
  CHECK_THAT(text({}), Contains("give users with their passwords"));
  CHECK_THAT(text({.users = {{"ann", "x"}},
                   .password_of = [](const std::string&) { return std::optional<std::string>(); }}),
             Contains("and not both"));
  CHECK_THAT(text({.mechanisms = {}, .users = {{"ann", "x"}}}), Contains("no mechanism"));
  CHECK_THAT(text({.users = {{"ann", ""}}}), Contains("the user 'ann' has no password"));
}
