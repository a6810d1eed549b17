#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <millrace/broker.hpp>
#include <millrace/server/access.hpp>
#include <millrace/server/quotas.hpp>
#include <millrace/server/sasl.hpp>
#include <optional>
#include <string>
#include <vector>

/// What lets Kafka clients in. Link millrace::net.
namespace millrace::inline v0 {

namespace server {
class KafkaServer;
}
namespace transport {
class HttpListener;
}

using server::AccessRequest;
using server::Authorizer;
using server::ByteRates;
using server::QuotaOptions;
using server::SaslMechanism;
using server::SaslOptions;
using AccessOperation = server::Operation;
using AccessResource = server::ResourceType;

/// PEM files of what a listener shows to its clients.
struct TlsOptions {
  std::string certificate_chain;
  std::string private_key;
  /// Not empty: clients must show a certificate that this one signed.
  std::string client_authority = {};
};

struct ListenOptions {
  /// Of this machine: an IP address or a name. "0.0.0.0" and "::" are all.
  std::string address = "127.0.0.1";
  /// 0: any that is free; Listener::port() tells.
  std::uint16_t port = 9092;
  std::optional<TlsOptions> tls = {};
  /// Clients have to say who they are.
  std::optional<SaslOptions> sasl = {};
  /// What clients may do, asked of each request; not given, everything. Those of the Unix socket
  /// may do everything.
  Authorizer authorizer = {};
  /// Instead of `authorizer` a file with rules, read when listening begins; docs/security.md has
  /// its form. Not empty: what no rule allows is denied.
  std::string acl_file = {};
  /// Principals that may do everything, e.g. "User:ann".
  std::vector<std::string> super_users = {};
  /// How much clients may send and fetch.
  std::optional<QuotaOptions> quotas = {};
  /// What clients are told to connect to; else the address through which they came.
  std::optional<std::string> advertised_address = {};
  /// Lets processes that have attached to the broker's directory append and commit, through a Unix
  /// socket in it. Whoever may write to the directory may. The first listener of a broker has it.
  bool serves_attached = true;
  /// Not empty: `host:port` where `GET /metrics` has what Prometheus scrapes, without asking who
  /// is there. Port 0 is any that is free; Listener::metrics_address() tells.
  std::string metrics_address = {};
  /// If they come through another port than the one that is listened at.
  std::optional<std::uint16_t> advertised_port = {};
  bool auto_create_topics = true;       ///< by who asks for them [auto.create.topics.enable]
  std::int32_t default_partitions = 1;  ///< of those [num.partitions]
  /// Settings of topics that clients make, unless they say otherwise.
  TopicSettings topic_defaults = {};
  int network_threads = 1;                ///< [num.network.threads]
  int worker_threads = 4;                 ///< at most, for what waits for a disk [num.io.threads]
  std::size_t most_connections = 10'000;  ///< [max.connections]
  std::size_t most_request_bytes = 104'857'600;    ///< [socket.request.max.bytes]
  std::size_t request_memory_bytes = 268'435'456;  ///< of all together [queued.max.request.bytes]
  std::chrono::milliseconds idle_timeout = std::chrono::minutes(10);  ///< [connections.max.idle.ms]
  /// Hears why connections were refused, or closed by us. Called on a network thread; must be quick
  /// and must not call the listener.
  std::function<void(const Error&)> on_problem = {};
};

/// A broker that Kafka clients can connect to, until close() or the end of this object, or of the
/// broker's last handle, if that is later. Movable. Thread-safe but for moving.
///
/// Topics, groups and transactions are those of the broker: what a client produces, a Consumer of
/// this process reads. An acknowledgement stands for what the topic's flush policy says, whatever
/// `acks` the client asks for (but for 0). docs/wire_protocol.md lists what is served.
class Listener {
 public:
  Listener(Listener&&) noexcept;
  Listener& operator=(Listener&&) noexcept;
  ~Listener();

  /// Where it listens, as `host:port`: with the port that was given.
  const std::string& address() const noexcept;
  std::uint16_t port() const noexcept;
  std::size_t connection_count() const noexcept;
  /// Where metrics are, as `host:port`; empty if nowhere.
  std::string metrics_address() const;
  /// The same text for who has an HTTP server of their own.
  std::string metrics() const;
  /// Closes all connections; requests that were begun are finished first. Not from on_problem.
  void close();

 private:
  friend class Broker;
  Listener(std::shared_ptr<engine::BrokerCore> core, std::unique_ptr<server::KafkaServer> server);
  Result<void> serve_metrics(const std::string& address);

  std::shared_ptr<engine::BrokerCore> core_;
  std::unique_ptr<server::KafkaServer> server_;
  std::unique_ptr<transport::HttpListener> metrics_;
};

}  // namespace millrace::inline v0
