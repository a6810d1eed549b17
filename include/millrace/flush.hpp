#pragma once
#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <millrace/engine/flush_policy.hpp>
#include <optional>
#include <utility>

namespace millrace::inline v0 {

/// When appended records are made durable, and what an acknowledgement stands for.
/// docs/durability.md says what each policy survives and costs.
namespace flush {

/// What a policy sees after an append: how many records are not durable yet.
using Progress = engine::FlushProgress;

/// The default: a record is acknowledged, and visible to consumers, once it is durable. Many
/// senders share one sync (group commit).
struct before_ack {
  bool acks_after_flush() const noexcept { return true; }
  bool is_due(const Progress&) const noexcept { return false; }
  std::optional<std::chrono::nanoseconds> max_delay() const noexcept { return std::nullopt; }
};

/// Acknowledged when written; flushed on the appender's thread once `records` wait (Kafka's
/// flush.messages; 0: not by count) and by the background thread after `interval` (flush.ms; 0: not
/// by time). A killed process loses nothing, a power loss at most what waited.
struct every {
  std::int64_t records = 0;
  std::chrono::nanoseconds interval{0};
  bool acks_after_flush() const noexcept { return false; }
  bool is_due(const Progress& progress) const noexcept {
    return records > 0 && progress.unflushed_records >= records;
  }
  std::optional<std::chrono::nanoseconds> max_delay() const noexcept {
    if (interval.count() <= 0) return std::nullopt;
    return interval;
  }
};

/// Acknowledged when written; the operating system writes back when it likes (Kafka's default). A
/// killed process loses nothing.
struct by_os {
  bool acks_after_flush() const noexcept { return false; }
  bool is_due(const Progress&) const noexcept { return false; }
  std::optional<std::chrono::nanoseconds> max_delay() const noexcept { return std::nullopt; }
};

}  // namespace flush

/// A flush policy: flush::before_ack, flush::every, flush::by_os, or your own type with these three
/// members. They are called from any thread and must not block.
template <typename P>
concept FlushPolicy = std::copy_constructible<P> &&
    requires(const P policy, const flush::Progress& progress) {
  { policy.acks_after_flush() } -> std::same_as<bool>;
  { policy.is_due(progress) } -> std::same_as<bool>;
  { policy.max_delay() } -> std::convertible_to<std::optional<std::chrono::nanoseconds>>;
};

namespace flush {

/// Any flush policy, by value.
class Any {
 public:
  template <typename P>
  requires(!std::same_as<P, Any> && FlushPolicy<P>) Any(P policy)
      : policy_(std::make_shared<Model<P>>(std::move(policy))) {}
  const engine::FlushPolicyPtr& erased() const noexcept { return policy_; }

 private:
  template <typename P>
  struct Model final : engine::FlushPolicyBase {
    explicit Model(P p) : policy(std::move(p)) {}
    bool before_ack() const noexcept override { return policy.acks_after_flush(); }
    bool due(const Progress& progress) const noexcept override { return policy.is_due(progress); }
    std::optional<std::chrono::nanoseconds> interval() const noexcept override {
      return policy.max_delay();
    }
    P policy;
  };
  engine::FlushPolicyPtr policy_;
};

}  // namespace flush
}  // namespace millrace::inline v0
