#include <millrace/protocol/messages/alter_replica_log_dirs.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, AlterReplicaLogDirsRequest::Topic& m) {
  io("Name", m.name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, AlterReplicaLogDirsRequest::Directory& m) {
  io("Path", m.path);
  io("Topics", m.topics);
}

template <typename Io>
void describe(Io& io, AlterReplicaLogDirsRequest& m) {
  io("Dirs", m.dirs);
}

template <typename Io>
void describe(Io& io, AlterReplicaLogDirsResponse::Partition& m) {
  io("PartitionIndex", m.partition_index);
  io("ErrorCode", m.error_code);
}

template <typename Io>
void describe(Io& io, AlterReplicaLogDirsResponse::Topic& m) {
  io("TopicName", m.topic_name);
  io("Partitions", m.partitions);
}

template <typename Io>
void describe(Io& io, AlterReplicaLogDirsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("Results", m.results);
}

template struct MessageCodec<AlterReplicaLogDirsRequest>;
template struct MessageCodec<AlterReplicaLogDirsResponse>;

}  // namespace millrace::inline v0::protocol
