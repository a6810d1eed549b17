#pragma once
#include <algorithm>
#include <chrono>

namespace millrace::inline v0::transport {

/// Whether whoever waits should look for a moment before it sleeps. To sleep and to be woken takes
/// longer than most answers do, several times as long where idle processors are halted; but looking
/// in vain takes processor time. So who missed lately looks more seldom. For one thread.
class BriefLook {
 public:
  /// As long as a halted processor may take to come back, so that two who wait for each other can
  /// get out of waking each other each time.
  static constexpr std::chrono::microseconds length{50};

  /// Whether to look this time; then found() or missed() has to follow.
  bool is_due() noexcept {
    if (to_skip_ == 0) return true;
    --to_skip_;
    return false;
  }
  void found() noexcept { skipped_ = 0; }
  void missed() noexcept {
    constexpr unsigned most_skipped = 63;
    skipped_ = std::min(most_skipped, 2 * skipped_ + 1);
    to_skip_ = skipped_;
  }

 private:
  unsigned skipped_ = 0;
  unsigned to_skip_ = 0;
};

}  // namespace millrace::inline v0::transport
