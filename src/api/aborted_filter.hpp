#pragma once
#include <millrace/engine/partition.hpp>
#include <millrace/fetched.hpp>
#include <millrace/storage/transaction_index.hpp>
#include <vector>

namespace millrace::inline v0::detail {

/// Leaves the records of aborted transactions out of what was read of one partition.
class AbortedFilter {
 public:
  /// Adds what is left of `part` to `into`, in runs of batches; how many records that are. `limit`
  /// is a last stable offset at or above its end.
  Result<std::int64_t> add_committed(FetchedRecords::Part part, Offset limit, FetchedRecords& into);

 private:
  Result<void> look_up(engine::PartitionReader& reader, OffsetRange range, Offset limit);

  OffsetRange known_{};  ///< for which aborted_ has all
  std::vector<storage::AbortedTransaction> aborted_;
};

}  // namespace millrace::inline v0::detail
