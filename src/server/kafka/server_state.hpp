#pragma once
#include <map>
#include <millrace/protocol/wire.hpp>
#include <millrace/server/group_service.hpp>
#include <millrace/server/kafka_server.hpp>
#include <millrace/server/transaction_service.hpp>
#include <unordered_map>

#include "server/kafka/ack_queue.hpp"
#include "server/kafka/parked_fetches.hpp"
#include "server/kafka/request_metrics.hpp"
#include "server/kafka/worker_pool.hpp"
#include "server/security/quotas.hpp"
#include "server/security/security.hpp"

namespace millrace::inline v0::server {

/// Of every partition, while each has one replica.
inline constexpr std::int32_t only_leader_epoch = 0;

/// What all requests of a server work with. Thread-safe.
class ServerState {
 public:
  ServerState(engine::BrokerCore& broker, const KafkaServerOptions& options, std::string cluster_id,
              Security security)
      : broker_(broker),
        options_(options),
        cluster_id_(std::move(cluster_id)),
        security_(std::move(security)),
        quotas_(options.quotas.value_or(QuotaOptions())),
        workers_(options.worker_threads) {}

  engine::BrokerCore& broker() noexcept { return broker_; }
  const KafkaServerOptions& options() const noexcept { return options_; }
  WorkerPool& workers() noexcept { return workers_; }
  RequestMetrics& metrics() noexcept { return metrics_; }
  const std::string& cluster_id() const noexcept { return cluster_id_; }
  const Security& security() const noexcept { return security_; }
  Quotas& quotas() noexcept { return quotas_; }

  /// The data directory as clients name it: absolute, unless it is only in memory.
  std::string log_dir() const;

  Result<std::shared_ptr<GroupService>> groups() { return GroupService::of(broker_); }
  Result<std::shared_ptr<TransactionService>> transactions() {
    return TransactionService::of(broker_);
  }

  /// invalid_topic for what can be no name, unknown_topic.
  Result<engine::TopicPtr> topic(const std::string& name);
  Result<engine::PartitionPtr> partition(std::string_view topic, std::int32_t index);
  /// unknown_topic if no topic has it.
  Result<engine::TopicPtr> topic_of(const protocol::Uuid& id);
  /// Where those wait who appended to that partition now; there as long as somebody does.
  std::shared_ptr<AckQueue> ack_queue(const engine::PartitionPtr& partition);
  std::shared_ptr<ParkedFetches> parked_on(transport::Loop& loop);

  void report(const Error& error) const {
    if (options_.listener.on_problem) options_.listener.on_problem(error);
  }
  /// Before the listener's loops end.
  void close();

 private:
  engine::BrokerCore& broker_;
  const KafkaServerOptions options_;
  const std::string cluster_id_;
  const Security security_;
  Quotas quotas_;
  WorkerPool workers_;
  RequestMetrics metrics_;
  std::mutex mutex_;
  std::unordered_map<const engine::Partition*, std::weak_ptr<AckQueue>> ack_queues_;
  std::map<transport::Loop*, std::shared_ptr<ParkedFetches>> parked_;
  std::map<std::string, engine::TopicPtr, std::less<>> topics_by_id_;
  std::uint64_t topics_version_ = 0;
};

/// Kafka's text form of a topic's id, and back; the zero id if it is none.
protocol::Uuid parse_uuid(std::string_view text) noexcept;
std::string to_text(const protocol::Uuid& id);

}  // namespace millrace::inline v0::server
