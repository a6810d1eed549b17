#include <millrace/protocol/messages/describe_cluster.hpp>

#include "protocol/message_io.hpp"

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, DescribeClusterRequest& m) {
  io("IncludeClusterAuthorizedOperations", m.include_cluster_authorized_operations);
  io("EndpointType", m.endpoint_type, since(1));
}

template <typename Io>
void describe(Io& io, DescribeClusterResponse::Broker& m) {
  io("BrokerId", m.broker_id);
  io("Host", m.host);
  io("Port", m.port);
  io("Rack", m.rack);
}

template <typename Io>
void describe(Io& io, DescribeClusterResponse& m) {
  io("ThrottleTimeMs", m.throttle_time_ms);
  io("ErrorCode", m.error_code);
  io("ErrorMessage", m.error_message);
  io("EndpointType", m.endpoint_type, since(1));
  io("ClusterId", m.cluster_id);
  io("ControllerId", m.controller_id);
  io("Brokers", m.brokers);
  io("ClusterAuthorizedOperations", m.cluster_authorized_operations);
}

template struct MessageCodec<DescribeClusterRequest>;
template struct MessageCodec<DescribeClusterResponse>;

}  // namespace millrace::inline v0::protocol
