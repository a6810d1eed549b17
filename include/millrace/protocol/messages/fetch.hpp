#pragma once
#include <cstdint>
#include <limits>
#include <millrace/core/bytes.hpp>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/messages/current_leader.hpp>
#include <millrace/protocol/versions.hpp>
#include <millrace/protocol/wire.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::protocol {

struct FetchRequest {
  static constexpr const char* name = "FetchRequest";
  static constexpr ApiKey api_key = ApiKey::fetch;
  static constexpr Versions versions = between(0, 16);
  static constexpr Versions flexible = since(12);

  struct ReplicaState {
    std::int32_t replica_id = -1;
    std::int64_t replica_epoch = -1;
    friend bool operator==(const ReplicaState&, const ReplicaState&) = default;
  };

  struct Partition {
    std::int32_t partition = 0;
    /// What the client takes the epoch for; -1 is not to be checked.
    std::int32_t current_leader_epoch = -1;
    std::int64_t fetch_offset = 0;
    /// The epoch of the last record that the follower has, or -1.
    std::int32_t last_fetched_epoch = -1;
    /// A follower's; -1 from a consumer.
    std::int64_t log_start_offset = -1;
    std::int32_t partition_max_bytes = 0;
  };

  struct Topic {
    std::string topic = {};
    Uuid topic_id = {};
    std::vector<Partition> partitions = {};
  };

  /// Leaves the session.
  struct ForgottenTopic {
    std::string topic = {};
    Uuid topic_id = {};
    std::vector<std::int32_t> partitions = {};
  };

  std::optional<std::string> cluster_id = {};
  std::int32_t replica_id = -1;
  ReplicaState replica_state = {};
  /// How long the answer may be held back for `min_bytes`.
  std::int32_t max_wait_ms = 0;
  std::int32_t min_bytes = 0;
  std::int32_t max_bytes = std::numeric_limits<std::int32_t>::max();
  /// 0: all records, 1: those of committed transactions.
  std::int8_t isolation_level = 0;
  /// 0: a full fetch, which may begin a session.
  std::int32_t session_id = 0;
  /// 0: a new session, -1: none.
  std::int32_t session_epoch = -1;
  std::vector<Topic> topics = {};
  std::vector<ForgottenTopic> forgotten_topics_data = {};
  std::string rack_id = {};
};

struct FetchResponse {
  static constexpr const char* name = "FetchResponse";
  static constexpr ApiKey api_key = ApiKey::fetch;
  static constexpr Versions versions = between(0, 16);
  static constexpr Versions flexible = since(12);

  /// Where a follower has to cut its log, if its last epoch ends before what it asked for.
  struct EpochEndOffset {
    std::int32_t epoch = -1;
    std::int64_t end_offset = -1;
    friend bool operator==(const EpochEndOffset&, const EpochEndOffset&) = default;
  };

  /// For the controllers of a quorum.
  struct SnapshotId {
    std::int64_t end_offset = -1;
    std::int32_t epoch = -1;
    friend bool operator==(const SnapshotId&, const SnapshotId&) = default;
  };

  struct AbortedTransaction {
    std::int64_t producer_id = 0;
    std::int64_t first_offset = 0;
  };

  struct Partition {
    std::int32_t partition_index = 0;
    WireError error_code = WireError::none;
    std::int64_t high_watermark = 0;
    std::int64_t last_stable_offset = -1;
    std::int64_t log_start_offset = -1;
    EpochEndOffset diverging_epoch = {};
    LeaderIdAndEpoch current_leader = {};
    SnapshotId snapshot_id = {};
    /// In order of the last offset of their transaction; null if all records were asked for.
    std::optional<std::vector<AbortedTransaction>> aborted_transactions =
        std::vector<AbortedTransaction>();
    /// Where to read instead, or -1.
    std::int32_t preferred_read_replica = -1;
    std::optional<Bytes> records = {};
  };

  struct Topic {
    std::string topic = {};
    Uuid topic_id = {};
    std::vector<Partition> partitions = {};
  };

  std::int32_t throttle_time_ms = 0;
  WireError error_code = WireError::none;
  /// 0: no session.
  std::int32_t session_id = 0;
  std::vector<Topic> responses = {};
  std::vector<NodeEndpoint> node_endpoints = {};
};

}  // namespace millrace::inline v0::protocol
