#include "server/security/sasl_session.hpp"

#include <fmt/format.h>

namespace millrace::inline v0::server {

bool SaslSession::agree(std::string_view mechanism, bool tokens_are_bare) {
  const auto known = parse_mechanism(mechanism);
  if (!known) return false;
  auto exchange = credentials_->begin(*known);
  if (exchange == nullptr) return false;
  exchange_ = std::move(exchange);
  mechanism_ = mechanism;
  tokens_are_bare_ = tokens_are_bare;
  stage_ = Stage::exchange;
  return true;
}

SaslExchange::Step SaslSession::take(std::string_view token) {
  auto step = exchange_->take(token);
  if (step.state == SaslExchange::State::done) stage_ = Stage::authenticated;
  if (step.state == SaslExchange::State::failed) stage_ = Stage::failed;
  return step;
}

std::string SaslSession::claim() const {
  constexpr std::size_t most_characters = 100;
  std::string user = exchange_->user().substr(0, most_characters);
  for (char& letter : user) {
    if (letter < ' ' || letter > '~') letter = '?';
  }
  return fmt::format("'{}' by {}", user, mechanism_);
}

}  // namespace millrace::inline v0::server
