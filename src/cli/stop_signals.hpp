#pragma once
#include <functional>
#include <thread>

namespace millrace::inline v0::cli {

/// SIGINT and SIGTERM as a wish to end in order. A second one ends the process at once. One object
/// at a time.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  static bool is_stopped() noexcept;
  /// Becomes readable when stopped.
  int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

/// Calls `wake` on a thread of its own when stopped, or, which then counts as stopped, when
/// standard output is a pipe that nobody reads any more.
class StopWatcher {
 public:
  StopWatcher(const StopSignals& stop, std::function<void()> wake);
  StopWatcher(const StopWatcher&) = delete;
  StopWatcher& operator=(const StopWatcher&) = delete;
  ~StopWatcher();

 private:
  int end_;
  std::thread thread_;
};

}  // namespace millrace::inline v0::cli
