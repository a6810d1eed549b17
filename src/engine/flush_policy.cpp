#include <millrace/engine/topic_config.hpp>

namespace millrace::inline v0::engine {
namespace {

class BeforeAck final : public FlushPolicyBase {
 public:
  bool before_ack() const noexcept override { return true; }
  bool due(const FlushProgress&) const noexcept override { return false; }
  std::optional<std::chrono::nanoseconds> interval() const noexcept override { return {}; }
};

class Every final : public FlushPolicyBase {
 public:
  Every(std::int64_t records, std::chrono::nanoseconds interval)
      : records_(records), interval_(interval) {}
  bool before_ack() const noexcept override { return false; }
  bool due(const FlushProgress& progress) const noexcept override {
    return records_ > 0 && progress.unflushed_records >= records_;
  }
  std::optional<std::chrono::nanoseconds> interval() const noexcept override {
    if (interval_.count() <= 0) return std::nullopt;
    return interval_;
  }

 private:
  std::int64_t records_;
  std::chrono::nanoseconds interval_;
};

}  // namespace

FlushPolicyPtr flush_before_ack() {
  return std::make_shared<BeforeAck>();
}
FlushPolicyPtr flush_by_os() {
  return std::make_shared<Every>(0, std::chrono::nanoseconds(0));
}
FlushPolicyPtr flush_every(std::int64_t records, std::chrono::nanoseconds interval) {
  return std::make_shared<Every>(records, interval);
}

}  // namespace millrace::inline v0::engine
