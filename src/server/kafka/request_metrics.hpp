#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <millrace/protocol/api_key.hpp>
#include <vector>

namespace millrace::inline v0::server {

/// How long things took, counted in steps of a factor of about three. Thread-safe.
class DurationHistogram {
 public:
  static constexpr std::array bounds = {1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2,
                                        0.1,  0.3,  1.0,  3.0,  10.0};

  void add(std::chrono::nanoseconds duration) noexcept;
  /// Of those that took at most bounds[i]; the last one is of all.
  std::array<std::uint64_t, bounds.size() + 1> cumulative() const noexcept;
  double seconds() const noexcept {
    return static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) * 1e-9;
  }

 private:
  std::array<std::atomic<std::uint64_t>, bounds.size() + 1> counts_{};
  std::atomic<std::int64_t> nanoseconds_{0};
};

/// What came and went by one API.
struct ApiMetrics {
  protocol::ApiKey key;
  std::atomic<std::uint64_t> request_bytes{0};
  std::atomic<std::uint64_t> response_bytes{0};
  std::atomic<std::uint64_t> refused{0};
  DurationHistogram durations;  ///< until the answer was handed over, and what waits included
};

/// Counts the requests of a server. Thread-safe; a request costs two looks at the
/// clock and a few additions.
class RequestMetrics {
 public:
  RequestMetrics();
  /// nullptr if that API is not served.
  ApiMetrics* of(protocol::ApiKey key) noexcept;
  const std::vector<std::unique_ptr<ApiMetrics>>& all() const noexcept { return apis_; }
  /// Of what producers wait for.
  DurationHistogram flushes;

 private:
  std::vector<std::unique_ptr<ApiMetrics>> apis_;  // by key
};

}  // namespace millrace::inline v0::server
