#include <fmt/format.h>

#include <millrace/server/kafka_server.hpp>

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

  Next on_frame(transport::IncomingFrame& frame, transport::Answer answer) override {
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

  Next begin(transport::IncomingFrame& frame, Request request) {
    const RequestHandler* handler = find_handler(request.header().api_key);
    const protocol::ApiRange* api = protocol::find_api(request.header().api_key);
    if (handler == nullptr || !api->versions.contains(request.version())) {
      if (request.header().api_key == protocol::ApiKey::api_versions) {
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
                  std::string cluster_id)
      : state_(broker, options, std::move(cluster_id)) {}
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
    return std::make_unique<KafkaSession>(std::make_shared<Client>(
        Client{.state = state_, .peer = peer, .loop = loop, .parked = state_.parked_on(loop)}));
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
  auto server = std::make_unique<AsioKafkaServer>(broker, options, *std::move(cluster_id));
  if (auto done = server->listen(); !done) return done.error();
  return std::unique_ptr<KafkaServer>(std::move(server));
}

}  // namespace millrace::inline v0::server
