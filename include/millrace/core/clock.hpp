#pragma once
#include <chrono>
#include <millrace/core/offset.hpp>

namespace millrace::inline v0 {

/// Where time comes from. `now()` stamps records and ages segments; `steady()` drives timers and
/// deadlines. Implementations are thread-safe. Tests use testing::ManualClock.
class Clock {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  virtual ~Clock() = default;
  /// Wall time, milliseconds since the epoch.
  virtual Timestamp now() const noexcept = 0;
  /// Monotonic time.
  virtual Steady steady() const noexcept = 0;
};

/// The machine's clocks; lives for the whole program.
const Clock& system_clock() noexcept;

}  // namespace millrace::inline v0
