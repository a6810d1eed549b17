#pragma once
#include <millrace/engine/partition.hpp>
#include <millrace/protocol/messages/fetch.hpp>

#include "server/kafka/request.hpp"

namespace millrace::inline v0::server {

struct FoundPartition {
  engine::PartitionPtr partition = {};  ///< null: `error` says why
  protocol::WireError error = protocol::WireError::none;
};

/// What is asked of one partition.
struct PartitionFetch {
  Offset offset;
  std::int32_t leader_epoch = -1;
  std::size_t max_bytes = 0;
  bool is_committed_only = false;
  protocol::ApiVersion version = 0;
};

/// Of all partitions of a fetch so far.
struct FetchTotal {
  std::size_t bytes_left = 0;
  std::size_t bytes = 0;
  bool has_error = false;
};

/// Reads what a partition has, straight from its map; `pins` keep it there.
void fetch_partition(const FoundPartition& found, const PartitionFetch& wanted, FetchTotal& total,
                     protocol::FetchResponse::Partition& answer, Request::Pins& pins);

}  // namespace millrace::inline v0::server
