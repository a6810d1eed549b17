#pragma once
#include <memory>
#include <millrace/engine/broker_core.hpp>
#include <millrace/server/access.hpp>
#include <millrace/server/quotas.hpp>
#include <millrace/server/sasl.hpp>
#include <millrace/transport/listener.hpp>
#include <optional>
#include <string>

namespace millrace::inline v0::server {

struct KafkaServerOptions {
  transport::ListenerOptions listener = {};
  std::int32_t node_id = 0;  ///< [node.id]
  /// What clients are told to connect to; else the address through which they came.
  std::optional<std::string> advertised_host = {};
  std::optional<std::uint16_t> advertised_port = {};
  bool auto_create_topics = true;       ///< [auto.create.topics.enable]
  std::int32_t default_partitions = 1;  ///< [num.partitions]
  std::size_t worker_threads = 4;       ///< at most, for what waits for a disk [num.io.threads]
  std::size_t most_fetch_bytes = 57'671'680;  ///< of one answer [fetch.max.bytes]
  /// Settings of topics that clients make, where they say nothing else.
  engine::ConfigMap topic_defaults = {};
  std::optional<SaslOptions> sasl = {};
  Authorizer authorizer = {};                 ///< null: all may do everything
  std::string acl_file = {};                  ///< instead of `authorizer`, if not empty
  std::vector<std::string> super_users = {};  ///< who may do everything, e.g. "User:ann"
  std::optional<QuotaOptions> quotas = {};
};

/// Serves the topics, groups and transactions of a broker to Kafka clients. Thread-safe.
class KafkaServer {
 public:
  /// Ready to accept when it returns. The broker must be an owner and outlive the server. The
  /// errors of transport::Listener::open(); read_only for an attachment.
  static Result<std::unique_ptr<KafkaServer>> start(engine::BrokerCore& broker,
                                                    const KafkaServerOptions& options);
  virtual ~KafkaServer() = default;

  virtual const std::vector<transport::ListenAddress>& addresses() const noexcept = 0;
  virtual std::size_t connection_count() const noexcept = 0;
  /// What it has done and what the broker holds, in Prometheus' text format.
  virtual std::string metrics() = 0;
  /// Closes the connections; what was begun is finished. From none of the server's own threads.
  virtual void close() = 0;
};

}  // namespace millrace::inline v0::server
