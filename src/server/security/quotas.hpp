#pragma once
#include <chrono>
#include <millrace/core/clock.hpp>
#include <millrace/server/quotas.hpp>
#include <mutex>
#include <string_view>
#include <unordered_map>

namespace millrace::inline v0::server {

/// Counts what clients send and fetch; see QuotaOptions. Thread-safe.
class Quotas {
 public:
  enum class Direction : std::uint8_t { producer, consumer };
  explicit Quotas(const QuotaOptions& options);

  /// Counts so many bytes of a client. How long it has to be left alone for them.
  std::chrono::milliseconds take(const std::string& client_id, Direction direction,
                                 std::size_t bytes, Clock::Steady now);
  /// The most that one fetch should bring, so that it is paid off within ten seconds.
  std::size_t most_fetch_bytes(const std::string& client_id) const;

 private:
  struct Bucket {
    double bytes = 0;  // what may be taken; below zero what is to be paid off
    Clock::Steady filled_at = {};
  };
  using Buckets = std::unordered_map<std::string, Bucket>;
  std::uint64_t rate_of(const std::string& client_id, Direction direction) const;
  /// Those that are full again are like those that never were.
  void forget_full(Buckets& buckets, Direction direction, Clock::Steady now);

  const QuotaOptions options_;
  const bool is_limited_[2];
  std::mutex mutex_;
  Buckets buckets_[2];
  std::size_t forget_at_[2] = {1024, 1024};
};

}  // namespace millrace::inline v0::server
