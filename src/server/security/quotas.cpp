#include "server/security/quotas.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace millrace::inline v0::server {
namespace {

std::uint64_t of(const ByteRates& rates, Quotas::Direction direction) noexcept {
  return direction == Quotas::Direction::producer ? rates.producer : rates.consumer;
}

bool limits_any(const QuotaOptions& options, Quotas::Direction direction) {
  return of(options.of_each, direction) > 0 ||
         std::ranges::any_of(options.by_client_id,
                             [&](const auto& each) { return of(each.second, direction) > 0; });
}

double filled(double bytes, double rate, std::chrono::duration<double> passed) {
  return std::min(rate, bytes + rate * std::max(passed.count(), 0.0));
}

}  // namespace

Quotas::Quotas(const QuotaOptions& options)
    : options_(options),
      is_limited_{limits_any(options, Direction::producer),
                  limits_any(options, Direction::consumer)} {}

std::chrono::milliseconds Quotas::take(const std::string& client_id, Direction direction,
                                       std::size_t bytes, Clock::Steady now) {
  const auto which = static_cast<std::size_t>(direction);
  if (!is_limited_[which]) return {};
  const auto rate = static_cast<double>(rate_of(client_id, direction));
  if (rate == 0) return {};
  const std::lock_guard lock(mutex_);
  Buckets& buckets = buckets_[which];
  if (buckets.size() >= forget_at_[which]) forget_full(buckets, direction, now);
  Bucket& bucket = buckets.try_emplace(client_id, Bucket{rate, now}).first->second;
  bucket.bytes = filled(bucket.bytes, rate, now - bucket.filled_at) - static_cast<double>(bytes);
  bucket.filled_at = now;
  if (bucket.bytes >= 0) return {};
  constexpr double longest_ms = 3'600'000;
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(std::min(longest_ms, std::ceil(-bucket.bytes / rate * 1000))));
}

std::size_t Quotas::most_fetch_bytes(const std::string& client_id) const {
  constexpr std::uint64_t seconds = 10;
  constexpr auto unlimited = std::numeric_limits<std::size_t>::max();
  if (!is_limited_[static_cast<std::size_t>(Direction::consumer)]) return unlimited;
  const std::uint64_t rate = rate_of(client_id, Direction::consumer);
  return rate == 0 || rate > unlimited / seconds ? unlimited : rate * seconds;
}

std::uint64_t Quotas::rate_of(const std::string& client_id, Direction direction) const {
  const auto named = options_.by_client_id.find(client_id);
  return of(named != options_.by_client_id.end() ? named->second : options_.of_each, direction);
}

void Quotas::forget_full(Buckets& buckets, Direction direction, Clock::Steady now) {
  std::erase_if(buckets, [&](const auto& entry) {
    const auto rate = static_cast<double>(rate_of(entry.first, direction));
    return filled(entry.second.bytes, rate, now - entry.second.filled_at) >= rate;
  });
  forget_at_[static_cast<std::size_t>(direction)] = std::max<std::size_t>(1024, 2 * buckets.size());
}

}  // namespace millrace::inline v0::server
