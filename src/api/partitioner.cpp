#include <atomic>
#include <memory>
#include <millrace/partitioner.hpp>
#include <mutex>
#include <random>

namespace millrace::inline v0::partitioner {
namespace {

/// splitmix64 (Steele, Lea, Flood 2014): good enough to spread, and lock-free.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() noexcept {
    std::uint64_t z = state_.fetch_add(0x9e3779b97f4a7c15, std::memory_order_relaxed);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  PartitionId below(std::int32_t limit) noexcept {
    return static_cast<PartitionId>(next() % static_cast<std::uint64_t>(limit));
  }

 private:
  std::atomic<std::uint64_t> state_;
};

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

class Sticky {
 public:
  PartitionId choose(const RouteInput& input) {
    const std::lock_guard lock(mutex_);
    if (current_ < 0 || current_ >= input.partitions || sent_ >= input.batch_bytes) {
      const PartitionId previous = current_;
      current_ = random_.below(input.partitions);
      if (current_ == previous && input.partitions > 1) {
        current_ = (current_ + 1) % input.partitions;
      }
      sent_ = 0;
    }
    sent_ += input.value.size();
    return current_;
  }

 private:
  std::mutex mutex_;
  Random random_{random_seed()};
  PartitionId current_ = -1;
  std::size_t sent_ = 0;
};

}  // namespace

std::int32_t murmur2_hash(Bytes key) noexcept {
  constexpr std::uint32_t m = 0x5bd1e995;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(key[i]); };
  std::uint32_t h = 0x9747b28cu ^ static_cast<std::uint32_t>(key.size());
  std::size_t at = 0;
  for (; at + 4 <= key.size(); at += 4) {
    std::uint32_t k = byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24;
    k *= m;
    k ^= k >> 24;
    h = (h * m) ^ (k * m);
  }
  const std::size_t left = key.size() - at;
  if (left >= 3) h ^= byte(at + 2) << 16;
  if (left >= 2) h ^= byte(at + 1) << 8;
  if (left >= 1) h = (h ^ byte(at)) * m;
  h ^= h >> 13;
  h *= m;
  h ^= h >> 15;
  return static_cast<std::int32_t>(h);
}

Partitioner murmur2() {
  auto fallback = std::make_shared<Sticky>();
  return [fallback](const RouteInput& input) {
    if (!input.key) return fallback->choose(input);
    return (murmur2_hash(*input.key) & 0x7fffffff) % input.partitions;
  };
}

Partitioner sticky() {
  auto state = std::make_shared<Sticky>();
  return [state](const RouteInput& input) { return state->choose(input); };
}

Partitioner round_robin() {
  auto next = std::make_shared<std::atomic<std::uint32_t>>(0);
  return [next](const RouteInput& input) {
    return static_cast<PartitionId>(next->fetch_add(1) %
                                    static_cast<std::uint32_t>(input.partitions));
  };
}

Partitioner random(std::optional<std::uint64_t> seed) {
  auto state = std::make_shared<Random>(seed ? *seed : random_seed());
  return [state](const RouteInput& input) { return state->below(input.partitions); };
}

}  // namespace millrace::inline v0::partitioner
