#pragma once
#include <millrace/os/file.hpp>
#include <millrace/storage/offset_index.hpp>

namespace millrace::inline v0::storage {

/// Where the batches end in a segment of `size` bytes that another process has written and may be
/// cutting to them right now: touched in a map, what is behind them could be a SIGBUS, so they are
/// read by system calls, from the last entry of `index` on (null: from the start). `size` if
/// something else than zeros stands behind them, for the reader to judge.
Result<std::uint64_t> find_published_end(const os::File& log, const OffsetIndex* index,
                                         std::uint64_t size);

/// Whether the file has nothing but zeros from `position` on.
Result<bool> only_zeros_from(const os::File& file, std::uint64_t position);

}  // namespace millrace::inline v0::storage
