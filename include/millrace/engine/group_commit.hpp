#pragma once
#include <atomic>
#include <millrace/storage/log.hpp>

namespace millrace::inline v0::engine {

/// Lets many appenders share one sync: whoever comes first syncs for all that was appended by then,
/// the others sleep until it is done. Thread-safe.
class GroupCommit {
 public:
  /// Returns when everything below `end` is durable, or with the error of the sync that failed.
  Result<void> wait_for(storage::Log& log, Offset end);

 private:
  void gather(const storage::Log& log) const noexcept;

  std::atomic<bool> busy_{false};
  std::atomic<std::uint32_t> finished_{0};
  std::atomic<std::uint32_t> waiting_{0};
  std::atomic<std::uint32_t> last_group_{0};
};

}  // namespace millrace::inline v0::engine
