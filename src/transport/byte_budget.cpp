#include <millrace/transport/byte_budget.hpp>
#include <utility>
#include <vector>

namespace millrace::inline v0::transport {

bool ByteBudget::take(std::size_t bytes, std::function<void()> granted) {
  const std::lock_guard lock(mutex_);
  const auto wanted = static_cast<std::ptrdiff_t>(bytes);
  if (!waiters_.empty() || wanted > free_) {
    waiters_.push_back({bytes, std::move(granted)});
    return false;
  }
  free_ -= wanted;
  return true;
}

void ByteBudget::overdraw(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  free_ -= static_cast<std::ptrdiff_t>(bytes);
}

void ByteBudget::give_back(std::size_t bytes) {
  std::vector<std::function<void()>> granted;
  {
    const std::lock_guard lock(mutex_);
    free_ += static_cast<std::ptrdiff_t>(bytes);
    while (!waiters_.empty() && static_cast<std::ptrdiff_t>(waiters_.front().bytes) <= free_) {
      free_ -= static_cast<std::ptrdiff_t>(waiters_.front().bytes);
      granted.push_back(std::move(waiters_.front().granted));
      waiters_.pop_front();
    }
  }
  for (const auto& tell : granted) tell();
}

std::ptrdiff_t ByteBudget::free() const {
  const std::lock_guard lock(mutex_);
  return free_;
}

BudgetShare::BudgetShare(BudgetShare&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

BudgetShare& BudgetShare::operator=(BudgetShare&& other) noexcept {
  if (this == &other) return *this;
  reset();
  budget_ = std::exchange(other.budget_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void BudgetShare::reset() noexcept {
  if (budget_ == nullptr) return;
  std::exchange(budget_, nullptr)->give_back(std::exchange(bytes_, 0));
}

}  // namespace millrace::inline v0::transport
