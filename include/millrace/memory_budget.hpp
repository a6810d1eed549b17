#pragma once
#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace millrace::inline v0 {

/// How many bytes may be held at a time, and how many are. Thread-safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t limit) : limit_(limit) {}
  std::size_t limit() const noexcept { return limit_; }
  std::size_t held() const noexcept { return held_.load(std::memory_order_relaxed); }
  std::size_t left() const noexcept { return limit_ - held(); }

 private:
  friend class MemoryShare;
  const std::size_t limit_;
  std::atomic<std::size_t> held_{0};
};

/// Bytes of a budget, given back when this goes. Move-only.
class MemoryShare {
 public:
  MemoryShare() = default;
  /// The caller has seen that so many are left, and nobody else takes any.
  MemoryShare(std::shared_ptr<MemoryBudget> of, std::size_t bytes)
      : budget_(std::move(of)), bytes_(bytes) {
    budget_->held_.fetch_add(bytes_, std::memory_order_relaxed);
  }
  MemoryShare(MemoryShare&& other) noexcept
      : budget_(std::move(other.budget_)), bytes_(std::exchange(other.bytes_, 0)) {}
  MemoryShare& operator=(MemoryShare&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MemoryShare() {
    if (budget_) budget_->held_.fetch_sub(bytes_, std::memory_order_relaxed);
  }

 private:
  std::shared_ptr<MemoryBudget> budget_;
  std::size_t bytes_ = 0;
};

}  // namespace millrace::inline v0
