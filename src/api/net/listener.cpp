#include <fmt/format.h>

#include <millrace/engine/topic_config.hpp>
#include <millrace/listener.hpp>
#include <millrace/server/kafka_server.hpp>
#include <millrace/transport/host_port.hpp>
#include <millrace/transport/http_listener.hpp>

#include "api/owner_socket.hpp"

namespace millrace::inline v0 {
namespace {

server::KafkaServerOptions to_server(const ListenOptions& options) {
  server::KafkaServerOptions to;
  to.listener.addresses = {{.text = transport::to_text({options.address, options.port}),
                            .is_encrypted = options.tls.has_value()}};
  if (options.tls) {
    to.listener.tls = {.certificate_chain = options.tls->certificate_chain,
                       .private_key = options.tls->private_key,
                       .client_authority = options.tls->client_authority};
  }
  to.listener.threads = options.network_threads;
  to.listener.most_connections = options.most_connections;
  to.listener.most_frame_bytes = options.most_request_bytes;
  to.listener.byte_budget = options.request_memory_bytes;
  to.listener.idle_timeout = options.idle_timeout;
  to.listener.on_problem = options.on_problem;
  to.advertised_host = options.advertised_address;
  to.auto_create_topics = options.auto_create_topics;
  to.default_partitions = options.default_partitions;
  to.worker_threads = static_cast<std::size_t>(options.worker_threads);
  to.advertised_port = options.advertised_port;
  to.topic_defaults = options.topic_defaults;
  to.sasl = options.sasl;
  to.authorizer = options.authorizer;
  to.acl_file = options.acl_file;
  to.super_users = options.super_users;
  to.quotas = options.quotas;
  return to;
}

Result<void> check(const ListenOptions& options) {
  const auto refused = [](std::string_view name, auto value) {
    return Error(Errc::invalid_argument,
                 fmt::format("cannot listen: {} is {}, and must be at least 1", name, value));
  };
  if (options.network_threads < 1) return refused("network_threads", options.network_threads);
  if (options.worker_threads < 1) return refused("worker_threads", options.worker_threads);
  if (options.default_partitions < 1) {
    return refused("default_partitions", options.default_partitions);
  }
  if (const auto parsed = engine::parse_topic_config(options.topic_defaults); !parsed) {
    return Error(Errc::invalid_argument,
                 fmt::format("cannot listen: of topic_defaults, {}", parsed.error().message()));
  }
  return {};
}

}  // namespace

Result<Listener> Broker::listen(const ListenOptions& options) const {
  MILLRACE_CHECK(check(options));
  server::KafkaServerOptions with = to_server(options);
  const std::string socket = detail::owner_socket(core_->path());
  // If it is served already, it is another listener of this process that does: it is the owner.
  const bool has_socket =
      options.serves_attached && core_->is_owner() && !socket.empty() && !detail::is_served(socket);
  if (has_socket) with.listener.addresses.push_back({.text = "unix:" + socket});
  auto server = server::KafkaServer::start(*core_, with);
  if (!server && has_socket) {
    // Not every file system has sockets; Kafka clients need none.
    const Error problem = server.error();
    with.listener.addresses.pop_back();
    server = server::KafkaServer::start(*core_, with);
    if (server && options.on_problem) options.on_problem(problem);
  }
  if (!server) return std::move(server).error();
  Listener listener(core_, *std::move(server));
  if (!options.metrics_address.empty()) {
    MILLRACE_CHECK(listener.serve_metrics(options.metrics_address));
  }
  return listener;
}

Listener::Listener(std::shared_ptr<engine::BrokerCore> core,
                   std::unique_ptr<server::KafkaServer> server)
    : core_(std::move(core)), server_(std::move(server)) {}
Listener::Listener(Listener&&) noexcept = default;
Listener& Listener::operator=(Listener&& other) noexcept {
  metrics_ = std::move(other.metrics_);
  server_ = std::move(other.server_);  // before the broker that it works on
  core_ = std::move(other.core_);
  return *this;
}
Listener::~Listener() = default;

const std::string& Listener::address() const noexcept {
  return server_->addresses().front().text;
}

std::uint16_t Listener::port() const noexcept {
  return transport::parse_host_port(address())->port;
}

std::size_t Listener::connection_count() const noexcept {
  return server_->connection_count();
}

Result<void> Listener::serve_metrics(const std::string& address) {
  MILLRACE_TRY(metrics_, transport::HttpListener::open(
                             address, [server = server_.get()] { return server->metrics(); }));
  return {};
}

std::string Listener::metrics_address() const {
  return metrics_ ? metrics_->address() : std::string();
}

std::string Listener::metrics() const {
  return server_->metrics();
}

void Listener::close() {
  if (metrics_) metrics_->close();
  server_->close();
}

}  // namespace millrace::inline v0
