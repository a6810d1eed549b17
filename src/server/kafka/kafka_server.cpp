#include <fmt/format.h>

#include <millrace/server/kafka_server.hpp>

#include "server/kafka/authentication.hpp"
#include "server/kafka/handlers.hpp"
#include "server/kafka/metrics_page.hpp"
#include "server/kafka/request_table.hpp"
#include "server/kafka/server_state.hpp"

namespace millrace::inline v0::server {
namespace {

using transport::Session;

class KafkaSession final : public Session {
 public:
  explicit KafkaSession(ClientPtr client) : client_(std::move(client)) {}
  ~KafkaSession() override { client_->parked->drop(client_.get()); }

  std::size_t most_frame_bytes() const noexcept override {
    return is_stranger() ? most_unauthenticated_bytes : Session::most_frame_bytes();
  }

  Next on_frame(transport::IncomingFrame& frame, transport::Answer answer) override {
    if (is_stranger() && client_->sasl->takes_bare_tokens()) {
      return take_token(frame, std::move(answer));
    }
    const MutableBytes bytes = frame.bytes();
    auto read = protocol::read_request(bytes);
    if (!read) {
      client_->state.report(
          Error(read.error().code(), fmt::format("closed the connection of {}: {}",
                                                 client_->peer.address, read.error().message())));
      return Next::frame;
    }
    Request request(client_, std::move(read->header), body_in(bytes, read->body),
                    std::move(answer));
    return begin(frame, std::move(request));
  }

 private:
  static MutableBytes body_in(MutableBytes frame, Bytes body) { return frame.last(body.size()); }

  bool is_stranger() const noexcept {
    return client_->sasl != nullptr && !client_->sasl->is_authenticated();
  }

  Next take_token(transport::IncomingFrame& frame, transport::Answer answer) {
    const auto held = frame.hold();
    const auto moved = std::make_shared<transport::Answer>(std::move(answer));
    client_->state.workers().run([client = client_, held, moved] {
      take_bare_token(client, held->bytes(), std::move(*moved));
    });
    return Next::frame_when_answered;
  }

  /// Whether it may be asked now; refuses it if not.
  bool is_allowed(Request& request) const {
    if (!is_stranger()) return true;
    const bool has_failed = client_->sasl->stage() == SaslSession::Stage::failed;
    if (is_for_strangers(request.header().api_key) && !has_failed) return true;
    request.refuse(Error(Errc::unsupported, has_failed ? "its authentication has failed before"
                                                       : "it has not said yet who it is, by SASL"));
    return false;
  }

  Next begin(transport::IncomingFrame& frame, Request request) {
    const protocol::ApiKey key = request.header().api_key;
    const RequestHandler* handler = is_served(key, *client_) ? find_handler(key) : nullptr;
    const protocol::ApiRange* api = protocol::find_api(key);
    if (!is_allowed(request)) return Next::frame;
    if (handler == nullptr || !api->versions.contains(request.version())) {
      if (key == protocol::ApiKey::api_versions) {
        answer_unknown_api_versions(std::move(request));
      } else {
        request.refuse(Error(Errc::unsupported, "it is not served in that version"));
      }
      return Next::frame;
    }
    if (handler->where == RequestHandler::Where::loop) {
      handler->handle(std::move(request));
      return Next::frame;
    }
    const auto held = frame.hold();
    request.hold(held, body_in(held->bytes(), request.body()));
    const auto moved = std::make_shared<Request>(std::move(request));
    client_->state.workers().run([handler, moved] { handler->handle(std::move(*moved)); });
    return Next::frame_when_answered;
  }

  const ClientPtr client_;
};

class AsioKafkaServer final : public KafkaServer, private transport::SessionFactory {
 public:
  AsioKafkaServer(engine::BrokerCore& broker, const KafkaServerOptions& options,
                  std::string cluster_id, Security security)
      : state_(broker, options, std::move(cluster_id), std::move(security)) {}
  ~AsioKafkaServer() override { close(); }

  Result<void> listen() {
    auto listener = transport::Listener::open(state_.options().listener, *this);
    if (!listener) return listener.error();
    listener_ = *std::move(listener);
    return {};
  }

  const std::vector<transport::ListenAddress>& addresses() const noexcept override {
    return listener_->addresses();
  }
  std::size_t connection_count() const noexcept override { return listener_->connection_count(); }
  std::string metrics() override { return metrics_page(state_, connection_count()); }
  void close() override {
    if (listener_ != nullptr) listener_->close();
    state_.close();
  }

 private:
  std::unique_ptr<Session> connected(const transport::Peer& peer, transport::Loop& loop) override {
    const auto client = std::make_shared<Client>(
        Client{.state = state_, .peer = peer, .loop = loop, .parked = state_.parked_on(loop)});
    if (!peer.is_local) client->host = host_of(peer.address);
    // Who may open the socket in the data directory may open the files, too.
    const auto& credentials = state_.security().credentials;
    if (credentials != nullptr && !peer.is_local) {
      client->sasl = std::make_unique<SaslSession>(credentials);
    }
    return std::make_unique<KafkaSession>(client);
  }

  std::unique_ptr<transport::Listener> listener_;  // its loops outlive what is done on them
  ServerState state_;
};

}  // namespace

Result<std::unique_ptr<KafkaServer>> KafkaServer::start(engine::BrokerCore& broker,
                                                        const KafkaServerOptions& options) {
  if (!broker.is_owner()) {
    return Error(Errc::read_only,
                 fmt::format("cannot serve {}: this broker is an attachment. Let the process that "
                             "owns the directory listen",
                             broker.path()));
  }
  auto cluster_id = broker.cluster_id();
  if (!cluster_id) return cluster_id.error();
  auto security = make_security(options);
  if (!security) return security.error();
  auto server = std::make_unique<AsioKafkaServer>(broker, options, *std::move(cluster_id),
                                                  *std::move(security));
  if (auto done = server->listen(); !done) return done.error();
  return std::unique_ptr<KafkaServer>(std::move(server));
}

}  // namespace millrace::inline v0::server
