#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <millrace/core/clock.hpp>
#include <millrace/core/error.hpp>
#include <optional>
#include <thread>

namespace millrace::inline v0::engine {

/// Runs what must happen later or beside the callers: on one thread of its own, or in run_pending()
/// for those who want none. Sleeps without a timer when nothing is due. Thread-safe. The clock must
/// outlive it.
class Scheduler {
 public:
  using Task = std::function<void()>;
  using Steady = Clock::Steady;
  using FailureHandler = std::function<void(const Error&)>;

  /// `on_failure`, if given, hears what tasks report().
  explicit Scheduler(const Clock& clock, FailureHandler on_failure = {});
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  ~Scheduler() { stop(); }

  const Clock& clock() const noexcept { return clock_; }
  /// From now on a thread of its own runs the tasks; it begins with the first one.
  void start();
  /// Stops the thread after the task at hand; what has not run is dropped. A task may do it too.
  void stop();

  /// Runs `task` as soon as possible.
  void post(Task task) { at(clock_.steady(), std::move(task)); }
  /// Runs `task` at or soon after `time`.
  void at(Steady time, Task task);
  /// Runs what is due at `now`, on the caller's thread; returns how many tasks ran.
  std::size_t run_pending(Steady now);
  /// For tasks: tells of a failure that nobody waits for.
  void report(const Error& error) const {
    if (on_failure_) on_failure_(error);
  }
  /// When the next task is due.
  std::optional<Steady> next_due() const;

 private:
  struct State;  // shared with the thread, which may outlive the Scheduler by a moment
  static void loop(State& state);

  const Clock& clock_;
  const FailureHandler on_failure_;
  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace millrace::inline v0::engine
