#include "server/kafka/worker_pool.hpp"

#include <utility>

namespace millrace::inline v0::server {

void WorkerPool::run(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return;
  waiting_.push_back(std::move(work));
  if (waiting_.size() > free_ && threads_.size() < most_threads_) {
    threads_.emplace_back([this] { work_on(); });
  } else {
    wanted_.notify_one();
  }
}

void WorkerPool::work_on() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++free_;
    wanted_.wait(lock, [this] { return is_closed_ || !waiting_.empty(); });
    --free_;
    if (is_closed_) return;
    const auto work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

void WorkerPool::close() {
  std::vector<std::thread> threads;
  std::deque<std::function<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    threads.swap(threads_);
    dropped.swap(waiting_);
    wanted_.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace millrace::inline v0::server
