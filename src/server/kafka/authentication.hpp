#pragma once
#include <millrace/protocol/messages/sasl_handshake.hpp>

#include "server/kafka/request.hpp"

/// What is served to clients that have not said yet who they are.
namespace millrace::inline v0::server {

/// Kafka's sasl.server.max.receive.size.
inline constexpr std::size_t most_unauthenticated_bytes = 524'288;

/// As rules name it: "10.0.0.1" of "10.0.0.1:5", and of "[::ffff:10.0.0.1]:5" too.
std::string host_of(std::string_view address);

/// False for what this client is not even told of.
bool is_served(protocol::ApiKey key, const Client& client) noexcept;
/// Whether a client may ask for it before it has authenticated itself.
bool is_for_strangers(protocol::ApiKey key) noexcept;

protocol::SaslHandshakeResponse sasl_handshake(const protocol::SaslHandshakeRequest& message,
                                               const Request& request);
void sasl_authenticate(Request request);
/// A token of a client that sends them without a header.
void take_bare_token(const ClientPtr& client, Bytes token, transport::Answer answer);

}  // namespace millrace::inline v0::server
