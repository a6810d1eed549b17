#include "server/kafka/request_metrics.hpp"

#include <algorithm>

#include "server/kafka/request_table.hpp"

namespace millrace::inline v0::server {

void DurationHistogram::add(std::chrono::nanoseconds duration) noexcept {
  const double seconds = static_cast<double>(duration.count()) * 1e-9;
  const auto at = std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin();
  counts_[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
  nanoseconds_.fetch_add(duration.count(), std::memory_order_relaxed);
}

std::array<std::uint64_t, DurationHistogram::bounds.size() + 1> DurationHistogram::cumulative()
    const noexcept {
  std::array<std::uint64_t, bounds.size() + 1> sums{};
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    sums[i] = sum += counts_[i].load(std::memory_order_relaxed);
  }
  return sums;
}

RequestMetrics::RequestMetrics() {
  for (const RequestHandler& handler : request_table()) {
    apis_.push_back(std::make_unique<ApiMetrics>());
    apis_.back()->key = handler.key;
  }
}

ApiMetrics* RequestMetrics::of(protocol::ApiKey key) noexcept {
  const auto at =
      std::lower_bound(apis_.begin(), apis_.end(), key,
                       [](const auto& one, protocol::ApiKey wanted) { return one->key < wanted; });
  return at != apis_.end() && (*at)->key == key ? at->get() : nullptr;
}

}  // namespace millrace::inline v0::server
