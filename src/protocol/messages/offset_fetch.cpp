#include <millrace/protocol/messages/offset_fetch.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, OffsetFetchRequest::Topic& m) {
  io("Name", m.name);
  io("PartitionIndexes", m.partition_indexes);
}

template <typename Io>
void describe(Io& io, OffsetFetchRequest::Group& m) {
  io("GroupId", m.group_id);
  io("MemberId", m.member_id, since(9));
  io("MemberEpoch", m.member_epoch, since(9));
  io("Topics", m.topics);
}

template <typename Io>
void describe(Io& io, OffsetFetchRequest& m) {
  io("GroupId", m.group_id, until(7));
  io("Topics", m.topics, nullable_since(2, until(7)));
  io("Groups", m.groups, since(8));
  io("RequireStable", m.require_stable, since(7));
}

template <typename Io>
void describe(Io& io, OffsetFetchResponse::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("CommittedOffset", m.committed_offset);
  io("CommittedLeaderEpoch", m.committed_leader_epoch, since(5));
  io("Metadata", m.metadata);
  io("ErrorCode", m.error_code);
}

template <typename Io>
void describe(Io& io, OffsetFetchResponse::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, OffsetFetchResponse::Group& m) {
  io("GroupId", m.group_id);
  io("Topics", m.topics);
  io("ErrorCode", m.error_code);
}

template <typename Io>
void describe(Io& io, OffsetFetchResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms, since(3));
  io("Topics", m.topics, until(7));
  io("ErrorCode", m.error_code, between(2, 7));
  io("Groups", m.groups, since(8));
}

template struct MessageCodec<OffsetFetchRequest>;
template struct MessageCodec<OffsetFetchResponse>;

}  // namespace millrace::inline v0::protocol
