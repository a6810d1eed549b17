#pragma once
#include <cstdint>
#include <millrace/core/offset.hpp>

namespace millrace::inline v0 {

/// What an acknowledgement stands for.
enum class Durability : std::uint8_t {
  written,     ///< in the page cache: survives a killed process, not a power loss
  flushed,     ///< on the disk
  replicated,  ///< on all in-sync replicas
};

/// Where an acknowledged record is.
struct Receipt {
  PartitionId partition = 0;
  Offset offset;
  Timestamp timestamp;
  Durability durability = Durability::written;
};

}  // namespace millrace::inline v0
