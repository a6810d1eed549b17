#include <millrace/engine/group_commit.hpp>
#include <millrace/os/wait_word.hpp>
#include <thread>

namespace millrace::inline v0::engine {

void GroupCommit::gather(const storage::Log& log) const noexcept {
  // When the last sync served several, they are likely to come again right now: let them append
  // before the next sync starts, as long as each look finds more.
  const std::uint32_t expected = last_group_.load(std::memory_order_relaxed);
  if (expected < 2) return;
  Offset seen = log.log_end_offset();
  for (int idle = 0; idle < 2 && log.log_end_offset() - log.flushed_offset() < expected;) {
    std::this_thread::yield();
    const Offset end = log.log_end_offset();
    idle = end == seen ? idle + 1 : 0;
    seen = end;
  }
}

Result<void> GroupCommit::wait_for(storage::Log& log, Offset end) {
  while (log.flushed_offset() < end) {
    const std::uint32_t seen = finished_.load(std::memory_order_acquire);
    if (!busy_.exchange(true, std::memory_order_acquire)) {
      gather(log);
      auto flushed = log.flush();
      last_group_.store(waiting_.load() + 1, std::memory_order_relaxed);
      busy_.store(false, std::memory_order_release);
      finished_.fetch_add(1);
      if (waiting_.load() != 0) os::wake_all(finished_);
      if (!flushed) return std::move(flushed).error();
      continue;
    }
    waiting_.fetch_add(1);
    os::wait_on(finished_, seen);
    waiting_.fetch_sub(1);
  }
  return {};
}

}  // namespace millrace::inline v0::engine
