#include <millrace/protocol/messages/offset_for_leader_epoch.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, OffsetForLeaderEpochRequest::Partition& m) {
  io("Partition", m.partition);
  io("CurrentLeaderEpoch", m.current_leader_epoch, since(2));
  io("LeaderEpoch", m.leader_epoch);
}

template <typename Io>
void describe(Io& io, OffsetForLeaderEpochRequest::Topic& m) {
  io("Topic", m.topic);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, OffsetForLeaderEpochRequest& m) {
  io("ReplicaId", m.replica_id, since(3));
  io("Topics", m.topics);
}

template <typename Io>
void describe(Io& io, OffsetForLeaderEpochResponse::Partition& m) {
  io("ErrorCode", m.error_code);
  io("Partition", m.partition);
  io("LeaderEpoch", m.leader_epoch, since(1));
  io("EndOffset", m.end_offset);
}

template <typename Io>
void describe(Io& io, OffsetForLeaderEpochResponse::Topic& m) {
  io("Topic", m.topic);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, OffsetForLeaderEpochResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms, since(2));
  io("Topics", m.topics);
}

template struct MessageCodec<OffsetForLeaderEpochRequest>;
template struct MessageCodec<OffsetForLeaderEpochResponse>;

}  // namespace millrace::inline v0::protocol
