#include "server/kafka/ack_queue.hpp"

#include <algorithm>

namespace millrace::inline v0::server {

void AckQueue::wait(Offset end, Done done) {
  {
    const std::lock_guard lock(mutex_);
    waiters_.push_back({end, std::move(done)});
    if (std::exchange(is_working_, true)) return;
  }
  workers_.run([self = shared_from_this()] { self->acknowledge(); });
}

void AckQueue::acknowledge() {
  std::vector<Waiter> served;
  for (;;) {
    served.clear();
    {
      const std::lock_guard lock(mutex_);
      if (waiters_.empty()) {
        is_working_ = false;
        return;
      }
      served.swap(waiters_);
    }
    const auto last = std::max_element(
        served.begin(), served.end(),
        [](const Waiter& left, const Waiter& right) { return left.end < right.end; });
    const auto began = std::chrono::steady_clock::now();
    const auto acknowledged = partition_->wait_acknowledged(last->end);
    flushes_.add(std::chrono::steady_clock::now() - began);
    for (const Waiter& waiter : served) waiter.done(acknowledged);
  }
}

}  // namespace millrace::inline v0::server
