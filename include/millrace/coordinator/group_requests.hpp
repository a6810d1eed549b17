#pragma once
#include <chrono>
#include <cstdint>
#include <millrace/coordinator/producer_epoch.hpp>
#include <millrace/core/bytes.hpp>
#include <millrace/core/result.hpp>
#include <optional>
#include <string>
#include <vector>

/// What members ask a group coordinator and what it answers: Kafka's classic group protocol without
/// its wire form. Subscriptions and assignments are bytes that only members understand.
namespace millrace::inline v0::coordinator {

using OwnedBytes = std::vector<std::byte>;
using Milliseconds = std::chrono::milliseconds;

/// Names a request that may be answered later; chosen by who asks, given back with the answer.
enum class Token : std::uint64_t {};

/// A way of assigning that a member can take part in, and its subscription for it.
struct Protocol {
  std::string name;
  OwnedBytes metadata;
  friend bool operator==(const Protocol&, const Protocol&) = default;
};

/// Who a request comes from.
struct MemberIdentity {
  std::string member_id;                   ///< empty: not a member yet
  std::optional<std::string> instance_id;  ///< of a static member (KIP-345)
};

struct JoinRequest {
  std::string group;
  MemberIdentity member;
  std::string client_id;
  std::string client_host;
  Milliseconds session_timeout{0};
  Milliseconds rebalance_timeout{0};
  std::string protocol_type = "consumer";
  std::vector<Protocol> protocols;  ///< in order of preference
  /// A new member must come back with the id that it is given first (KIP-394).
  bool requires_member_id = false;
  /// The leader may be told to leave the assignment as it is (KIP-814).
  bool knows_skip_assignment = false;
};

struct JoinedMember {
  MemberIdentity member;
  OwnedBytes metadata;
};

struct JoinAnswer {
  std::int32_t generation = 0;
  std::string protocol_type;
  std::string protocol;
  std::string leader;
  std::string member_id;
  std::vector<JoinedMember> members;  ///< for the leader only
  bool skip_assignment = false;
};

struct MemberAssignment {
  std::string member_id;
  OwnedBytes assignment;
};

/// What a member says to prove that it is one, in this generation.
struct Membership {
  std::string group;
  MemberIdentity member;
  std::int32_t generation = -1;
};

struct SyncRequest {
  Membership from;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol;
  std::vector<MemberAssignment> assignments;  ///< from the leader
};

struct SyncAnswer {
  std::string protocol_type;
  std::string protocol;
  OwnedBytes assignment;
};

/// An answer to a join that failed may still have a member id to come back with.
struct JoinReply {
  Token token = {};
  Result<JoinAnswer> answer;
  std::string member_id = {};
};

struct SyncReply {
  Token token = {};
  Result<SyncAnswer> answer;
};

/// A record for the coordinator's internal topic. No value: a tombstone.
struct InternalRecord {
  OwnedBytes key;
  std::optional<OwnedBytes> value;
};

/// Names what waits for a write.
enum class WriteId : std::uint64_t {};

/// Records that must be durable, as one batch in the partition of `group`, before what waits for
/// them goes on: tell the coordinator by written().
struct Write {
  WriteId id = {};
  std::string group;
  std::vector<InternalRecord> records;
  std::optional<ProducerEpoch> transaction_of = {};  ///< of whose transaction they are part
};

struct CommitReply {
  Token token = {};
  Result<void> answer;
};

/// What a coordinator wants done, in this order within each kind.
struct GroupActions {
  std::vector<JoinReply> joins;
  std::vector<SyncReply> syncs;
  std::vector<CommitReply> commits;
  std::vector<Write> writes;
  /// Members of these groups should find out by a heartbeat that a rebalance has begun.
  std::vector<std::string> rebalancing;
};

}  // namespace millrace::inline v0::coordinator
