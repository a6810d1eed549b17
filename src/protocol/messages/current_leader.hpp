#pragma once
#include <millrace/protocol/messages/current_leader.hpp>

namespace millrace::inline v0::protocol {

template <typename Io>
void describe(Io& io, LeaderIdAndEpoch& m) {
  io("LeaderId", m.leader_id);
  io("LeaderEpoch", m.leader_epoch);
}

template <typename Io>
void describe(Io& io, NodeEndpoint& m) {
  io("NodeId", m.node_id);
  io("Host", m.host);
  io("Port", m.port);
  io("Rack", m.rack);
}

}  // namespace millrace::inline v0::protocol
