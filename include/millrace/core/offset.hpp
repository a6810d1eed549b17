#pragma once
#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>

namespace millrace::inline v0 {

/// The logical number of a record in its partition, from 0. The difference of two is a count.
class Offset {
 public:
  constexpr Offset() = default;
  constexpr explicit Offset(std::int64_t value) : value_(value) {}
  constexpr std::int64_t value() const { return value_; }
  friend constexpr auto operator<=>(Offset, Offset) = default;
  friend constexpr Offset operator+(Offset a, std::int64_t n) { return Offset{a.value_ + n}; }
  friend constexpr Offset operator-(Offset a, std::int64_t n) { return Offset{a.value_ - n}; }
  friend constexpr std::int64_t operator-(Offset a, Offset b) { return a.value_ - b.value_; }
  constexpr Offset& operator++() { return ++value_, *this; }
  constexpr Offset& operator+=(std::int64_t n) { return value_ += n, *this; }

 private:
  std::int64_t value_ = 0;
};

/// A place in a file, in bytes from its start. Not an Offset, and does not mix with one.
class FilePosition {
 public:
  constexpr FilePosition() = default;
  constexpr explicit FilePosition(std::uint64_t value) : value_(value) {}
  constexpr std::uint64_t value() const { return value_; }
  friend constexpr auto operator<=>(FilePosition, FilePosition) = default;
  friend constexpr FilePosition operator+(FilePosition a, std::uint64_t n) {
    return FilePosition{a.value_ + n};
  }
  friend constexpr std::int64_t operator-(FilePosition a, FilePosition b) {
    return static_cast<std::int64_t>(a.value_ - b.value_);
  }

 private:
  std::uint64_t value_ = 0;
};

/// A record's time: milliseconds since 1970-01-01 UTC, as in Kafka. `none()` (-1) is "no time".
class Timestamp {
 public:
  constexpr Timestamp() = default;
  constexpr explicit Timestamp(std::int64_t milliseconds) : milliseconds_(milliseconds) {}
  /// From any system clock's time, rounded down.
  template <typename Duration>
  constexpr Timestamp(std::chrono::sys_time<Duration> time)
      : milliseconds_(
            std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count()) {}
  static constexpr Timestamp none() { return Timestamp{-1}; }
  constexpr std::int64_t milliseconds() const { return milliseconds_; }
  constexpr std::chrono::sys_time<std::chrono::milliseconds> to_sys_time() const {
    return std::chrono::sys_time<std::chrono::milliseconds>(
        std::chrono::milliseconds(milliseconds_));
  }
  friend constexpr auto operator<=>(Timestamp, Timestamp) = default;
  // These stop at the largest and the smallest value: options say "for ever" by the largest, and
  // the times of records are whatever their sender wrote.
  friend constexpr Timestamp operator+(Timestamp t, std::chrono::milliseconds d) {
    return Timestamp{add(t.milliseconds_, d.count())};
  }
  friend constexpr Timestamp operator-(Timestamp t, std::chrono::milliseconds d) {
    return Timestamp{subtract(t.milliseconds_, d.count())};
  }
  friend constexpr std::chrono::milliseconds operator-(Timestamp a, Timestamp b) {
    return std::chrono::milliseconds(subtract(a.milliseconds_, b.milliseconds_));
  }

 private:
  using Limits = std::numeric_limits<std::int64_t>;
  static constexpr std::int64_t add(std::int64_t a, std::int64_t b) {
    std::int64_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return b > 0 ? Limits::max() : Limits::min();
  }
  static constexpr std::int64_t subtract(std::int64_t a, std::int64_t b) {
    std::int64_t difference = 0;
    if (!__builtin_sub_overflow(a, b, &difference)) return difference;
    return b < 0 ? Limits::max() : Limits::min();
  }
  std::int64_t milliseconds_ = -1;
};

/// The number of a leadership term of a partition (KIP-101); -1 is "unknown".
enum class LeaderEpoch : std::int32_t { unknown = -1 };

/// The number of a partition within its topic, from 0.
using PartitionId = std::int32_t;

}  // namespace millrace::inline v0
