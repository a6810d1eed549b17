#pragma once
#include <atomic>
#include <millrace/core/clock.hpp>

namespace millrace::inline v0::testing {

/// A clock that stands still until told. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start = Timestamp{1'600'000'000'000})
      : milliseconds_(start.milliseconds()) {}

  Timestamp now() const noexcept override { return Timestamp{milliseconds_.load()}; }
  Steady steady() const noexcept override {
    return Steady(std::chrono::milliseconds(milliseconds_.load()));
  }
  /// Moves both clocks forward.
  void advance(std::chrono::milliseconds by) noexcept { milliseconds_.fetch_add(by.count()); }

 private:
  std::atomic<std::int64_t> milliseconds_;
};

}  // namespace millrace::inline v0::testing
