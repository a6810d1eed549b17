#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace millrace::inline v0::server {

/// Threads for what has to wait for a disk or another lock, so that connections need not. A thread
/// is made when there is work and none is free, and then stays. Thread-safe.
class WorkerPool {
 public:
  explicit WorkerPool(std::size_t most_threads) : most_threads_(most_threads) {}
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  ~WorkerPool() { close(); }

  /// Calls `work` on one of the threads; not if the pool is closed.
  void run(std::function<void()> work);
  /// Ends what is being done, drops what has not begun, and joins the threads.
  void close();

 private:
  void work_on();

  const std::size_t most_threads_;
  std::mutex mutex_;
  std::condition_variable wanted_;
  std::deque<std::function<void()>> waiting_;
  std::vector<std::thread> threads_;
  std::size_t free_ = 0;
  bool is_closed_ = false;
};

}  // namespace millrace::inline v0::server
