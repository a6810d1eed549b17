#include <millrace/core/clock.hpp>

namespace millrace::inline v0 {
namespace {

class SystemClock final : public Clock {
 public:
  Timestamp now() const noexcept override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
  }
  Steady steady() const noexcept override { return std::chrono::steady_clock::now(); }
};

}  // namespace

const Clock& system_clock() noexcept {
  static const SystemClock clock;
  return clock;
}

}  // namespace millrace::inline v0
