#pragma once
#include <map>
#include <millrace/storage/inspect.hpp>
#include <millrace/storage/producer_state.hpp>

namespace millrace::inline v0::storage {

/// Compares snapshots and transaction indexes with the batches of a log, which it is shown in
/// order.
class ProducerCheck {
 public:
  explicit ProducerCheck(const os::DirectoryPtr& directory) : directory_(directory) {}

  /// A good batch of the segment with `base`.
  void batch(const record::BatchView& batch, Offset base);
  /// Tells what is wrong, in a log that ends at `end`. After a crash (not `is_clean`) that is
  /// normal.
  Result<void> finish(bool is_clean, Offset end, std::vector<Finding>& findings) const;

  /// Makes the transaction indexes say what the batches say; for each that did not, `did` is told.
  Result<void> repair(const std::vector<Offset>& bases, bool dry_run,
                      const std::function<void(std::string)>& did) const;

 private:
  using Transactions = std::vector<AbortedTransaction>;
  std::string fault_of(Offset base) const;

  const os::DirectoryPtr& directory_;
  ProducerState state_;
  std::map<Offset, Transactions> aborted_;  // by the base of the marker's segment
};

}  // namespace millrace::inline v0::storage
