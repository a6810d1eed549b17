#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace millrace::inline v0::protocol {

/// To whom a partition has moved, in answers to Produce and Fetch, so that clients need not ask for
/// metadata.
struct LeaderIdAndEpoch {
  std::int32_t leader_id = -1;
  std::int32_t leader_epoch = -1;
  friend bool operator==(const LeaderIdAndEpoch&, const LeaderIdAndEpoch&) = default;
};

/// Where the leaders named in such an answer listen.
struct NodeEndpoint {
  std::int32_t node_id = 0;
  std::string host = {};
  std::int32_t port = 0;
  std::optional<std::string> rack = {};
};

}  // namespace millrace::inline v0::protocol
