#include <millrace/protocol/messages/create_topics.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, CreateTopicsRequest::Assignment& m) {
  io("PartitionIndex", m.partition_index);
  io("BrokerIds", m.broker_ids);
}

template <typename Io>
void describe(Io& io, CreateTopicsRequest::Config& m) {
  io("Name", m.name);
  io("Value", m.value);
}

template <typename Io>
void describe(Io& io, CreateTopicsRequest::Topic& m) {
  io("Name", m.name);
  io("NumPartitions", m.num_partitions);
  io("ReplicationFactor", m.replication_factor);
  io("Assignments", m.assignments);
  io("Configs", m.configs);
}

template <typename Io>
void describe(Io& io, CreateTopicsRequest& m) {
  io("Topics", m.topics);
  io("timeoutMs", m.timeout_ms);
  io("validateOnly", m.validate_only, since(1));
}

template <typename Io>
void describe(Io& io, CreateTopicsResponse::Config& m) {
  io("Name", m.name);
  io("Value", m.value);
  io("ReadOnly", m.read_only);
  io("ConfigSource", m.config_source);
  io("IsSensitive", m.is_sensitive);
}

template <typename Io>
void describe(Io& io, CreateTopicsResponse::Topic& m) {
  io("Name", m.name);
  io("TopicId", m.topic_id, since(7));
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message, since(1));
  io("NumPartitions", m.num_partitions, since(5));
  io("ReplicationFactor", m.replication_factor, since(5));
  io("Configs", m.configs, since(5));
  io.tagged(0, "TopicConfigErrorCode", m.topic_config_error_code, since(5));
}

template <typename Io>
void describe(Io& io, CreateTopicsResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms, since(2));
  io("Topics", m.topics);
}

template struct MessageCodec<CreateTopicsRequest>;
template struct MessageCodec<CreateTopicsResponse>;

}  // namespace millrace::inline v0::protocol
