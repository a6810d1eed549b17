#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace millrace::inline v0::engine {

/// What is not durable yet, as a flush policy sees it after an append.
struct FlushProgress {
  std::int64_t unflushed_records = 0;
};

/// When a partition is flushed; the type-erased form of the public FlushPolicy concept. Const
/// methods are called from any thread.
class FlushPolicyBase {
 public:
  virtual ~FlushPolicyBase() = default;
  /// Acknowledge (and show to readers) only what is durable.
  virtual bool before_ack() const noexcept = 0;
  /// Flush now, on the appender's thread.
  virtual bool due(const FlushProgress& progress) const noexcept = 0;
  /// Flush in the background at the latest this long after an append; nothing: never, which is
  /// asked once, when the policy is set.
  virtual std::optional<std::chrono::nanoseconds> interval() const noexcept = 0;
};

using FlushPolicyPtr = std::shared_ptr<const FlushPolicyBase>;

}  // namespace millrace::inline v0::engine
