#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <millrace/client/cluster.hpp>
#include <millrace/record/batch_builder.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::client {

/// Names in brackets are Kafka's.
struct ProducerOptions {
  std::int16_t acks = -1;  ///< 0, 1 or -1, all [acks]
  /// For the brokers that have to acknowledge [request.timeout.ms].
  std::chrono::milliseconds request_timeout = std::chrono::seconds(30);
  std::size_t batch_bytes = 64u << 10;  ///< [batch.size]
  record::Codec codec = record::Codec::none;
  /// Numbers its batches, so that one that is sent twice is stored once [enable.idempotence].
  bool idempotent = true;
  std::size_t most_in_flight = 5;  ///< requests at a broker [max.in.flight.requests.per.connection]
  int most_attempts = 10;          ///< of a batch, a tenth of a second apart [retries]
  /// Not empty: what is sent is part of transactions [transactional.id].
  std::string transactional_id = {};
  std::chrono::milliseconds transaction_timeout = std::chrono::minutes(1);
};

/// A record to send; its bytes are the caller's until send() returns.
struct OutgoingRecord {
  std::int32_t partition = 0;
  Timestamp timestamp;
  std::optional<Bytes> key = {};
  std::optional<Bytes> value = {};
  std::span<const record::HeaderView> headers = {};
  /// Hears the offset, or why there is none; -1 with acks 0. In order within a partition.
  std::function<void(const Result<Offset>&)> callback = {};
};

/// Sends records to the partitions of a topic, in batches that are under way while the next are
/// gathered. Blocking, for one thread: what was gathered goes out when a batch is full and at
/// flush(), and never on its own.
class Producer {
 public:
  /// unknown_topic; what the broker says to a producer id, or to the transactional id.
  static Result<std::unique_ptr<Producer>> open(Cluster& cluster, const std::string& topic,
                                                const ProducerOptions& options = {});

  std::int32_t partition_count() const noexcept {
    return static_cast<std::int32_t>(topic_.partitions.size());
  }
  /// Gathers. An error is one that ends the producer: the record's own comes to its callback.
  Result<void> send(const OutgoingRecord& record);
  /// Returns when all that was sent is acknowledged, or has failed.
  Result<void> flush();

  Result<void> begin_transaction();
  /// Flushes first. The errors of the broker; the transaction is aborted if a record failed.
  Result<void> end_transaction(bool commit);

 private:
  using Callback = std::function<void(const Result<Offset>&)>;
  struct Batch {
    std::int32_t partition = 0;
    std::vector<std::byte> bytes;
    std::vector<Callback> callbacks;
    int attempts = 0;
  };
  struct Lane {
    record::BatchBuilder builder;
    std::vector<Callback> callbacks;
    std::int32_t next_sequence = 0;
    bool is_in_transaction = false;
  };
  struct Flight {
    std::deque<Batch> batches;  // a request each
  };

  Producer(Cluster& cluster, const ProducerOptions& options)
      : cluster_(cluster), options_(options) {}
  Result<void> take_identity();
  void reset(Lane& lane);
  Result<void> send_lane(std::int32_t partition, Lane& lane);
  Result<void> add_to_transaction(std::int32_t partition, Lane& lane);
  Result<void> dispatch(Batch batch);
  Result<void> receive_one(Connection& from);
  Result<void> drain();
  Result<void> send_again();
  static void finish(Batch& batch, const Result<Offset>& outcome);

  Cluster& cluster_;
  const ProducerOptions options_;
  protocol::MetadataResponse::Topic topic_;
  std::map<std::int32_t, Lane> lanes_;
  std::map<Connection*, Flight> under_way_;
  std::deque<Batch> to_send_again_;
  record::ProducerIdentity identity_;
  bool is_in_transaction_ = false;
  std::optional<Error> failure_;
};

}  // namespace millrace::inline v0::client
