#pragma once
#include <map>
#include <millrace/client/connection.hpp>
#include <millrace/coordinator/group_coordinator.hpp>

/// What a group coordinator is asked, asked over a connection to it: the requests and answers of
/// coordinator/group_requests.hpp in Kafka's protocol. Blocking. Besides the coordinator's refusals
/// each can fail with io_error or corrupt_data.
namespace millrace::inline v0::client {

/// Answered when the other members have joined too: let the connection wait for so long.
coordinator::JoinReply join(Connection& coordinator, const coordinator::JoinRequest& request);
coordinator::SyncReply sync(Connection& coordinator, const coordinator::SyncRequest& request);
Result<void> heartbeat(Connection& coordinator, const coordinator::Membership& from);
Result<void> leave(Connection& coordinator, const std::string& group,
                   const coordinator::MemberIdentity& member);
/// The first refusal; it names the partition.
Result<void> commit(Connection& coordinator, const coordinator::CommitRequest& request);

/// Of all partitions that the group has committed. With `only_stable`, unsettled offsets (those
/// that a transaction which is not over may change) are not among `offsets`.
struct CommittedOffsets {
  std::map<TopicPartition, coordinator::CommittedOffset> offsets;
  std::vector<TopicPartition> unsettled;
};
Result<CommittedOffsets> committed(Connection& coordinator, const std::string& group,
                                   const std::vector<TopicPartition>& partitions);

}  // namespace millrace::inline v0::client
