#include <random>

#include "campaign.hpp"
#include "catch.hpp"
#include "server/security/acl_rules.hpp"
#include "server/security/sasl_exchange.hpp"

using namespace millrace;
using namespace millrace::server;
using State = SaslExchange::State;

namespace {

/// Cuts, repeats and changes bytes here and there.
class Spoiler {
 public:
  explicit Spoiler(std::uint64_t seed) : random_(seed) {}

  std::string spoil(std::string text) {
    for (std::size_t i = 0; i <= below(3); ++i) {
      if (text.empty()) return text;
      const std::size_t at = below(text.size());
      switch (below(4)) {
        case 0:
          text.resize(at);
          break;
        case 1:
          text[at] = static_cast<char>(below(256));
          break;
        case 2:
          text.insert(at, text.substr(below(text.size()), below(20)));
          break;
        default:
          text.erase(at, 1 + below(5));
      }
    }
    return text;
  }
  std::size_t below(std::size_t end) { return random_() % end; }

 private:
  std::mt19937_64 random_;
};

const std::string first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
const std::string server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const std::string last = "c=biws,r=rOprNGfwEbeRWgbNEkqO" + server_nonce +
                         ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

std::unique_ptr<SaslExchange> begin(const std::string& salt, const ScramKeys& keys) {
  return scram_exchange({.nonce = server_nonce,
                         .salt_of = [&salt](const std::string&) { return salt; },
                         .keys_of = [&keys](const std::string&) { return keys; }});
}

}  // namespace

TEST_CASE("Spoiled tokens let nobody in", "[sasl]") {
  const std::uint64_t seed = millrace_test::campaign_seed(20261122);
  INFO("MILLRACE_SEED=" << seed);
  Spoiler spoiler(seed);
  const std::string salt = from_base64("W22ZaJ0SNY7soEsUEjb6gQ==").value();
  const ScramKeys keys = scram_keys(Digest::sha_256, "pencil", salt, 4096);
  REQUIRE(begin(salt, keys)->take(first).state == State::goes_on);
  const std::uint64_t rounds = millrace_test::campaign_rounds(20'000, 2'000'000);
  std::uint64_t came_in = 0;
  for (std::uint64_t i = 0; i < rounds; ++i) {
    const auto exchange = begin(salt, keys);
    const bool spoils_first = spoiler.below(2) == 0;
    const std::string said_first = spoils_first ? spoiler.spoil(first) : first;
    const std::string said_last = spoiler.below(4) == 0 ? last : spoiler.spoil(last);
    exchange->take(said_first);
    if (exchange->take(said_last).state != State::done) continue;
    ++came_in;
    // What it signed is what was said, but for what stands before the name.
    INFO(said_first << " " << said_last);
    REQUIRE(said_last == last);
    REQUIRE(said_first == first);
  }
  CHECK(came_in > 0);
}

TEST_CASE("Spoiled rules are understood or refused", "[acl]") {
  const std::uint64_t seed = millrace_test::campaign_seed(20261123);
  INFO("MILLRACE_SEED=" << seed);
  Spoiler spoiler(seed);
  const std::string rules =
      "# who may\nallow User:ann from 10.0.0.1 read,write topic prefix:or\nsuper User:root\n"
      "deny User:* all cluster\nallow User:bob describe transactional-id *\n";
  const std::uint64_t rounds = millrace_test::campaign_rounds(20'000, 2'000'000);
  for (std::uint64_t i = 0; i < rounds; ++i) {
    const auto parsed = AclRules::parse(spoiler.spoil(rules), "rules");
    if (parsed) {
      CHECK(parsed->rules().size() <= 20);
    } else {
      REQUIRE(parsed.error().message().starts_with("rules:"));
    }
  }
}
