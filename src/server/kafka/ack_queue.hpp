#pragma once
#include <functional>
#include <millrace/engine/partition.hpp>
#include <mutex>
#include <vector>

#include "server/kafka/request_metrics.hpp"
#include "server/kafka/worker_pool.hpp"

namespace millrace::inline v0::server {

/// Those who wait until what they appended to one partition is acknowledged. One worker at a time
/// makes it so, for all who have come until it begins. Thread-safe.
class AckQueue : public std::enable_shared_from_this<AckQueue> {
 public:
  using Done = std::function<void(const Result<bool>&)>;

  /// How long flushes took is added to `flushes`.
  AckQueue(engine::PartitionPtr partition, WorkerPool& workers, DurationHistogram& flushes)
      : partition_(std::move(partition)), workers_(workers), flushes_(flushes) {}

  /// Calls `done`, on a worker, once everything below `end` is acknowledged, or cannot be.
  void wait(Offset end, Done done);

 private:
  void acknowledge();

  struct Waiter {
    Offset end;
    Done done;
  };
  const engine::PartitionPtr partition_;
  WorkerPool& workers_;
  DurationHistogram& flushes_;
  std::mutex mutex_;
  std::vector<Waiter> waiters_;
  bool is_working_ = false;
};

}  // namespace millrace::inline v0::server
