#include <fmt/format.h>

#include <algorithm>

#include "server/security/sasl_exchange.hpp"

namespace millrace::inline v0::server {
namespace {

/// Takes `letter=value` and the comma behind it off the front; nothing if that is not there.
std::optional<std::string_view> take_attribute(std::string_view& text, char letter) {
  if (text.size() < 2 || text[0] != letter || text[1] != '=') return std::nullopt;
  const std::size_t end = std::min(text.find(','), text.size());
  const std::string_view value = text.substr(2, end - 2);
  text.remove_prefix(std::min(end + 1, text.size()));
  return value;
}

/// A name, in which a comma is written =2C and an equals sign =3D.
std::optional<std::string> unescape(std::string_view text) {
  std::string name;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '=') {
      name += text[at];
      continue;
    }
    const std::string_view code = text.substr(at + 1, 2);
    if (code != "2C" && code != "3D") return std::nullopt;
    name += code == "2C" ? ',' : '=';
    at += 2;
  }
  return name;
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char letter) { return letter > ' ' && letter <= '~'; });
}

std::string combine(std::string left, std::string_view right) {
  for (std::size_t at = 0; at < left.size(); ++at) {
    left[at] = static_cast<char>(left[at] ^ right[at]);
  }
  return left;
}

class ScramExchange final : public SaslExchange {
 public:
  explicit ScramExchange(ScramSettings settings) : settings_(std::move(settings)) {}

  Step take(std::string_view token) override {
    switch (std::exchange(stage_, Stage::over)) {
      case Stage::begin:
        return take_first(token);
      case Stage::proof:
        return take_proof(token);
      case Stage::over:
        break;
    }
    return {};
  }

 private:
  enum class Stage : std::uint8_t { begin, proof, over };

  Step take_first(std::string_view token) {
    // n: no channel binding; y: the client would, but thinks that we do not.
    if (!token.starts_with("n,") && !token.starts_with("y,")) return {};
    std::string_view rest = token.substr(2);
    const auto on_behalf_of = take_attribute(rest, 'a');
    if (!on_behalf_of && !rest.starts_with(',')) return {};
    if (!on_behalf_of) rest.remove_prefix(1);
    gs2_header_ = token.substr(0, token.size() - rest.size());
    first_bare_ = rest;
    const auto name = take_attribute(rest, 'n');
    const auto nonce = take_attribute(rest, 'r');
    // What is left are extensions, which may be passed over; those in front may not.
    if (!name || !nonce || nonce->empty() || !is_printable(*nonce)) return {};
    const auto user = unescape(*name);
    if (!user || user->empty()) return {};
    if (on_behalf_of && !on_behalf_of->empty() && *on_behalf_of != *name) return {};
    user_ = *user;
    client_nonce_ = *nonce;
    nonce_ = client_nonce_ + settings_.nonce;
    server_first_ = fmt::format("r={},s={},i={}", nonce_, to_base64(settings_.salt_of(user_)),
                                settings_.iterations);
    stage_ = Stage::proof;
    return {State::goes_on, server_first_};
  }

  Step take_proof(std::string_view token) {
    const std::size_t proof_at = token.rfind(",p=");
    if (proof_at == std::string_view::npos) return {};
    const auto proof = from_base64(token.substr(proof_at + 3));
    const std::string_view without_proof = token.substr(0, proof_at);
    std::string_view rest = without_proof;
    const auto binding = take_attribute(rest, 'c');
    const auto nonce = take_attribute(rest, 'r');
    if (!binding || *binding != to_base64(gs2_header_) || !nonce || !is_ours(*nonce)) return {};
    const ScramKeys keys = settings_.keys_of(user_);
    const std::string all_said = fmt::format("{},{},{}", first_bare_, server_first_, without_proof);
    const std::string signature = hmac(settings_.digest, keys.stored_key, all_said);
    if (!proof || proof->size() != signature.size()) return {};
    const std::string client_key = combine(*proof, signature);
    if (!is_equal(hash(settings_.digest, client_key), keys.stored_key)) return {};
    return {State::done, "v=" + to_base64(hmac(settings_.digest, keys.server_key, all_said))};
  }

  /// librdkafka before 2.6.1 puts its own part in front of what has it already. What keeps a proof
  /// from being used twice is that it is made of our nonce, here or there.
  bool is_ours(std::string_view nonce) const {
    return nonce == nonce_ || nonce == client_nonce_ + nonce_;
  }

  const ScramSettings settings_;
  Stage stage_ = Stage::begin;
  std::string gs2_header_;
  std::string first_bare_;
  std::string server_first_;
  std::string client_nonce_;
  std::string nonce_;  // both parts
};

}  // namespace

ScramKeys scram_keys(Digest digest, std::string_view password, std::string_view salt,
                     int iterations) {
  const std::string salted = stretch(digest, password, salt, iterations);
  return {.stored_key = hash(digest, hmac(digest, salted, "Client Key")),
          .server_key = hmac(digest, salted, "Server Key")};
}

std::unique_ptr<SaslExchange> scram_exchange(ScramSettings settings) {
  return std::make_unique<ScramExchange>(std::move(settings));
}

}  // namespace millrace::inline v0::server
