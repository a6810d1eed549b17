#include "server/kafka/authentication.hpp"

#include <fmt/format.h>

#include <millrace/protocol/messages/sasl_authenticate.hpp>

#include "server/kafka/server_state.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;
using Stage = SaslSession::Stage;

/// What the client is told does not say which of name and password was wrong.
constexpr const char* refusal = "Authentication failed: invalid user name or password";

SaslExchange::Step take(Client& client, Bytes token) {
  auto step = client.sasl->take(as_text(token));
  if (step.state == SaslExchange::State::done) client.principal = client.sasl->principal();
  if (step.state == SaslExchange::State::failed) {
    client.state.report(
        Error(Errc::closed, fmt::format("refused {}, which could not prove that it is {}",
                                        client.peer.address, client.sasl->claim())));
  }
  return step;
}

}  // namespace

std::string host_of(std::string_view address) {
  std::string_view host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  constexpr std::string_view mapped = "::ffff:";
  const bool is_mapped = host.starts_with(mapped) && host.find('.') != std::string_view::npos;
  return std::string(is_mapped ? host.substr(mapped.size()) : host);
}

bool is_served(ApiKey key, const Client& client) noexcept {
  if (key == ApiKey::describe_acls) return client.state.security().rules != nullptr;
  const bool is_sasl = key == ApiKey::sasl_handshake || key == ApiKey::sasl_authenticate;
  return !is_sasl || client.sasl != nullptr;
}

bool is_for_strangers(ApiKey key) noexcept {
  return key == ApiKey::api_versions || key == ApiKey::sasl_handshake ||
         key == ApiKey::sasl_authenticate;
}

SaslHandshakeResponse sasl_handshake(const SaslHandshakeRequest& message, const Request& request) {
  SaslSession& sasl = *request.client().sasl;
  SaslHandshakeResponse response;
  for (const SaslMechanism mechanism : sasl.mechanisms()) {
    response.mechanisms.emplace_back(mechanism_name(mechanism));
  }
  if (sasl.stage() != Stage::handshake) {
    response.error_code = WireError::illegal_sasl_state;
  } else if (!sasl.agree(message.mechanism, request.version() == 0)) {
    response.error_code = WireError::unsupported_sasl_mechanism;
  }
  return response;
}

void sasl_authenticate(Request request) {
  const auto message = request.read<SaslAuthenticateRequest>();
  if (!message) return request.refuse(message.error());
  SaslAuthenticateResponse response;
  response.error_message.reset();
  Client& client = *request.client_ptr();
  if (client.sasl->stage() != Stage::exchange) {
    response.error_code = WireError::illegal_sasl_state;
    response.error_message = "SaslAuthenticate comes after SaslHandshake, and once";
    return request.respond(response);
  }
  const auto answer = std::make_shared<SaslExchange::Step>(take(client, message->auth_bytes));
  if (answer->state == SaslExchange::State::failed) {
    response.error_code = WireError::sasl_authentication_failed;
    response.error_message = refusal;
  }
  response.auth_bytes = as_bytes(answer->answer);
  request.respond(response, {answer});
}

void take_bare_token(const ClientPtr& client, Bytes token, transport::Answer answer) {
  const auto step = take(*client, token);
  if (step.state == SaslExchange::State::failed) return;  // there is no other way to tell
  transport::OutgoingFrame frame;
  const Bytes bytes = as_bytes(step.answer);
  frame.bytes.insert(frame.bytes.end(), bytes.begin(), bytes.end());
  answer.send(std::move(frame));
}

}  // namespace millrace::inline v0::server
