#include <condition_variable>
#include <map>
#include <millrace/engine/scheduler.hpp>
#include <mutex>
#include <vector>

namespace millrace::inline v0::engine {

struct Scheduler::State {
  explicit State(const Clock& c) : clock(c) {}

  std::vector<Task> take_due(Steady now) {
    std::vector<Task> due;
    while (!tasks.empty() && tasks.begin()->first <= now) {
      due.push_back(std::move(tasks.begin()->second));
      tasks.erase(tasks.begin());
    }
    return due;
  }

  const Clock& clock;
  mutable std::mutex mutex;
  std::condition_variable wake;
  std::multimap<Steady, Task> tasks;
  bool wants_thread = false;
  bool stopping = false;
};

Scheduler::Scheduler(const Clock& clock, FailureHandler on_failure)
    : clock_(clock), on_failure_(std::move(on_failure)), state_(std::make_shared<State>(clock)) {}

/// With nothing to do there is no thread yet: whoever only reads never needs one.
void Scheduler::start() {
  const std::lock_guard lock(state_->mutex);
  state_->wants_thread = true;
  if (!state_->tasks.empty()) thread_ = std::thread([state = state_] { loop(*state); });
}

void Scheduler::stop() {
  std::multimap<Steady, Task> dropped;
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    dropped.swap(state_->tasks);
  }
  state_->wake.notify_all();
  if (!thread_.joinable()) return;
  if (thread_.get_id() == std::this_thread::get_id()) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

void Scheduler::at(Steady time, Task task) {
  bool first = false;
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopping) return;
    const auto it = state_->tasks.emplace(time, std::move(task));
    first = it == state_->tasks.begin();
    if (!state_->wants_thread) return;
    if (!thread_.joinable()) thread_ = std::thread([state = state_] { loop(*state); });
  }
  if (first) state_->wake.notify_one();
}

std::size_t Scheduler::run_pending(Steady now) {
  std::vector<Task> due;
  {
    const std::lock_guard lock(state_->mutex);
    due = state_->take_due(now);
  }
  for (auto& task : due) task();
  return due.size();
}

std::optional<Scheduler::Steady> Scheduler::next_due() const {
  const std::lock_guard lock(state_->mutex);
  if (state_->tasks.empty()) return std::nullopt;
  return state_->tasks.begin()->first;
}

void Scheduler::loop(State& state) {
  std::unique_lock lock(state.mutex);
  while (!state.stopping) {
    auto due = state.take_due(state.clock.steady());
    if (!due.empty()) {
      lock.unlock();
      for (auto& task : due) {
        task();
        task = nullptr;
      }
      lock.lock();
      continue;
    }
    if (state.tasks.empty()) {
      state.wake.wait(lock);
    } else {
      const auto wait = state.tasks.begin()->first - state.clock.steady();
      state.wake.wait_for(lock, wait);
    }
  }
}

}  // namespace millrace::inline v0::engine
