#include <millrace/protocol/messages/txn_offset_commit.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, TxnOffsetCommitRequest::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("CommittedOffset", m.committed_offset);
  io("CommittedLeaderEpoch", m.committed_leader_epoch, since(2));
  io("CommittedMetadata", m.committed_metadata);
}

template <typename Io>
void describe(Io& io, TxnOffsetCommitRequest::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, TxnOffsetCommitRequest& m) {
  io("TransactionalId", m.transactional_id);
  io("GroupId", m.group_id);
  io("ProducerId", m.producer_id);
  io("ProducerEpoch", m.producer_epoch);
  io("GenerationId", m.generation_id, since(3));
  io("MemberId", m.member_id, since(3));
  io("GroupInstanceId", m.group_instance_id, since(3));
  io("Topics", m.topics);
}

template <typename Io>
void describe(Io& io, TxnOffsetCommitResponse::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("ErrorCode", m.error_code);
}

template <typename Io>
void describe(Io& io, TxnOffsetCommitResponse::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, TxnOffsetCommitResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("Topics", m.topics);
}

template struct MessageCodec<TxnOffsetCommitRequest>;
template struct MessageCodec<TxnOffsetCommitResponse>;

}  // namespace millrace::inline v0::protocol
