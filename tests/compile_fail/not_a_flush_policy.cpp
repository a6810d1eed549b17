#include <millrace/millrace.hpp>

struct WhenItRains {
  bool acks_after_flush() const noexcept { return false; }
  std::optional<std::chrono::nanoseconds> max_delay() const noexcept { return {}; }
#if !defined(MUST_NOT_COMPILE)
  bool is_due(const millrace::flush::Progress&) const noexcept {
    return false;
  }
#endif
};

millrace::flush::Any policy{WhenItRains{}};
