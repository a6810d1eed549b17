#pragma once
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

namespace millrace::inline v0::transport {

/// The memory that all connections together may hold for what came in and is not dealt with yet.
/// Thread-safe.
class ByteBudget {
 public:
  explicit ByteBudget(std::size_t bytes) noexcept : free_(static_cast<std::ptrdiff_t>(bytes)) {}

  /// Takes `bytes` now, or remembers `granted`, which is called once they were taken for it: on the
  /// thread that gave others back, first come first served. Who asks for more than there is
  /// altogether waits for ever.
  bool take(std::size_t bytes, std::function<void()> granted);
  /// Takes them whether or not they are there; who waits then waits longer.
  void overdraw(std::size_t bytes);
  void give_back(std::size_t bytes);

  std::ptrdiff_t free() const;

 private:
  struct Waiter {
    std::size_t bytes;
    std::function<void()> granted;
  };

  mutable std::mutex mutex_;
  std::ptrdiff_t free_;
  std::deque<Waiter> waiters_;
};

/// A part of a budget, given back when it ends.
class BudgetShare {
 public:
  BudgetShare() noexcept = default;
  /// Of bytes that were taken already.
  BudgetShare(ByteBudget& budget, std::size_t bytes) noexcept : budget_(&budget), bytes_(bytes) {}
  BudgetShare(BudgetShare&& other) noexcept;
  BudgetShare& operator=(BudgetShare&& other) noexcept;
  ~BudgetShare() { reset(); }

  std::size_t bytes() const noexcept { return bytes_; }
  void reset() noexcept;

 private:
  ByteBudget* budget_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace millrace::inline v0::transport
