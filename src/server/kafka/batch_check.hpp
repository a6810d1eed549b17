#pragma once
#include <cstddef>
#include <millrace/core/bytes.hpp>
#include <millrace/core/result.hpp>

namespace millrace::inline v0::server {

/// Whether a client's bytes begin with a record batch that may be stored as it stands: checksum,
/// counts, offsets from 0 on without gaps, records that can be read. How long it is. corrupt_data
/// or invalid_record if not; record_too_large, unsupported.
Result<std::size_t> check_batch(Bytes bytes, bool needs_keys);

}  // namespace millrace::inline v0::server
