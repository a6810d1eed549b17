#include <millrace/core/clock.hpp>

#if defined(__x86_64__) && defined(__linux__)
#include <x86intrin.h>

#include <cstdio>
#include <cstring>
#define MILLRACE_TICK_COUNTER 1
#endif

namespace millrace::inline v0 {
namespace {

Timestamp ask_system() noexcept {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

#ifdef MILLRACE_TICK_COUNTER

/// Whether the kernel tells time by the time-stamp counter: only then it is in step on all
/// processors and never changes its pace.
bool kernel_trusts_counter() noexcept {
  std::FILE* const file =
      std::fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");
  if (file == nullptr) return false;
  char name[16] = {};
  const bool read = std::fgets(name, sizeof name, file) != nullptr;
  std::fclose(file);
  return read && std::strcmp(name, "tsc\n") == 0;
}

/// Asking the system takes as long as encoding a small record does, and the answer changes once a
/// millisecond: this keeps it until shortly before then, by the time-stamp counter. One a thread.
class MillisecondCache {
 public:
  Timestamp now() noexcept {
    if (__rdtsc() - asked_at_ < good_for_) [[likely]]
      return last_;
    return ask();
  }

 private:
  struct Sample {
    std::uint64_t ticks = 0;
    std::int64_t nanoseconds = 0;
  };

  Timestamp ask() noexcept {
    using std::chrono::nanoseconds;
    asked_at_ = __rdtsc();  // before the clock is read: a pause in between ends the wait early
    const auto time = std::chrono::system_clock::now();
    const auto whole = std::chrono::floor<std::chrono::milliseconds>(time);
    last_ = whole;
    const std::chrono::nanoseconds left = whole + std::chrono::milliseconds(1) - time;
    learn_pace();
    // Leaves out the last hundredth, which is more than clocks are slewed and samples are wrong by.
    good_for_ = static_cast<std::uint64_t>(static_cast<double>(left.count()) * pace_ * 0.99);
    return last_;
  }

  /// Ticks a nanosecond, from two samples that lie well apart; zero until there are.
  void learn_pace() noexcept {
    constexpr std::int64_t far_apart = 10'000'000;  // nanoseconds
    constexpr std::uint64_t no_pause = 20'000;      // ticks between two reads of the counter
    if (learned_) return;
    const std::uint64_t before = __rdtsc();
    const std::int64_t now = std::chrono::steady_clock::now().time_since_epoch().count();
    if (__rdtsc() - before > no_pause) return;
    if (first_.ticks == 0) {
      first_ = {before, now};
    } else if (now - first_.nanoseconds >= far_apart) {
      pace_ = static_cast<double>(before - first_.ticks) /
              static_cast<double>(now - first_.nanoseconds);
      learned_ = true;
    }
  }

  std::uint64_t asked_at_ = 0;
  std::uint64_t good_for_ = 0;
  Timestamp last_{};
  double pace_ = 0;
  bool learned_ = false;
  Sample first_;
};

#endif

class SystemClock final : public Clock {
 public:
  Timestamp now() const noexcept override {
#ifdef MILLRACE_TICK_COUNTER
    if (counted_) {
      thread_local constinit MillisecondCache cache;
      return cache.now();
    }
#endif
    return ask_system();
  }
  Steady steady() const noexcept override {
    return std::chrono::steady_clock::now();
  }

#ifdef MILLRACE_TICK_COUNTER
 private:
  bool counted_ = kernel_trusts_counter();
#endif
};

}  // namespace

const Clock& system_clock() noexcept {
  static const SystemClock clock;
  return clock;
}

}  // namespace millrace::inline v0
