#include <millrace/protocol/messages/offset_commit.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, OffsetCommitRequest::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("CommittedOffset", m.committed_offset);
  io("CommittedLeaderEpoch", m.committed_leader_epoch, since(6));
  io("CommitTimestamp", m.commit_timestamp, until(1));
  io("CommittedMetadata", m.committed_metadata);
}

template <typename Io>
void describe(Io& io, OffsetCommitRequest::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, OffsetCommitRequest& m) {
  io("GroupId", m.group_id);
  io("GenerationIdOrMemberEpoch", m.generation_id_or_member_epoch);
  io("MemberId", m.member_id);
  io("GroupInstanceId", m.group_instance_id, since(7));
  io("RetentionTimeMs", m.retention_time_ms, between(2, 4));
  io("Topics", m.topics);
}

template <typename Io>
void describe(Io& io, OffsetCommitResponse::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("ErrorCode", m.error_code);
}

template <typename Io>
void describe(Io& io, OffsetCommitResponse::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, OffsetCommitResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms, since(3));
  io("Topics", m.topics);
}

template struct MessageCodec<OffsetCommitRequest>;
template struct MessageCodec<OffsetCommitResponse>;

}  // namespace millrace::inline v0::protocol
