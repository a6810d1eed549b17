#include <millrace/engine/scheduler.hpp>

namespace millrace::inline v0::engine {

void Scheduler::start() {
  has_thread_ = true;
  thread_ = std::thread([this] { loop(); });
}

void Scheduler::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Scheduler::at(Steady time, Task task) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    const auto it = tasks_.emplace(time, std::move(task));
    first = it == tasks_.begin();
  }
  if (first && has_thread_) wake_.notify_one();
}

std::vector<Scheduler::Task> Scheduler::take_due(Steady now) {
  std::vector<Task> due;
  while (!tasks_.empty() && tasks_.begin()->first <= now) {
    due.push_back(std::move(tasks_.begin()->second));
    tasks_.erase(tasks_.begin());
  }
  return due;
}

std::size_t Scheduler::run_pending(Steady now) {
  std::vector<Task> due;
  {
    const std::lock_guard lock(mutex_);
    due = take_due(now);
  }
  for (auto& task : due) task();
  return due.size();
}

std::optional<Scheduler::Steady> Scheduler::next_due() const {
  const std::lock_guard lock(mutex_);
  if (tasks_.empty()) return std::nullopt;
  return tasks_.begin()->first;
}

void Scheduler::loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    auto due = take_due(clock_.steady());
    if (!due.empty()) {
      lock.unlock();
      for (auto& task : due) task();
      due.clear();
      lock.lock();
      continue;
    }
    if (tasks_.empty()) {
      wake_.wait(lock);
    } else {
      const auto wait = tasks_.begin()->first - clock_.steady();
      wake_.wait_for(lock, wait);
    }
  }
}

}  // namespace millrace::inline v0::engine
