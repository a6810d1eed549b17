#pragma once
#include <millrace/fetched.hpp>

namespace millrace::inline v0::detail {

/// Adds to `into` what is left of `from` without the records that are to be seen later, in runs of
/// records; how many that are. `unpacked` has its compressed batches.
std::int64_t add_delivered(const FetchedRecords& from,
                           const std::vector<FetchedRecords::Unpacked>& unpacked,
                           FetchedRecords& into);

}  // namespace millrace::inline v0::detail
