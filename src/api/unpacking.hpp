#pragma once
#include <millrace/fetched.hpp>

namespace millrace::inline v0::detail {

/// Decompresses the batches of a chunk, as many as the budget has room for, and cuts the chunk off
/// behind them: it is empty if there is no room until records that were given out are gone. An
/// error, with the offsets, if the first batch is damaged or does not fit into the whole budget.
Result<void> unpack(storage::Chunk& chunk, const std::shared_ptr<MemoryBudget>& budget,
                    std::vector<FetchedRecords::Unpacked>& into);

}  // namespace millrace::inline v0::detail
