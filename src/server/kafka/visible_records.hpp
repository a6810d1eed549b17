#pragma once
#include <millrace/core/bytes.hpp>
#include <millrace/core/result.hpp>
#include <vector>

namespace millrace::inline v0::server {

/// What clients see of the batches of a topic with delayed delivery: those batches as they stand of
/// which no record is hidden, the others rewritten without them, or left out if none is left.
/// Offsets stay. Errors are those of reading a batch.
Result<std::vector<std::byte>> visible_records(Bytes batches);

}  // namespace millrace::inline v0::server
