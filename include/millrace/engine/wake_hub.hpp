#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <millrace/os/directory.hpp>
#include <millrace/storage/control_file.hpp>
#include <optional>
#include <span>

namespace millrace::inline v0::engine {

/// How a reader that found nothing waits for more (LMAX Disruptor's notion of a wait strategy).
enum class WaitStrategy : std::uint8_t {
  block,  ///< spins a few microseconds, then sleeps in the kernel: idle is free
  yield,  ///< gives the processor away between looks
  spin,   ///< looks without pause: lowest latency, a whole core
};

/// Wakes readers of this process and of others. One futex word for a whole data directory, in its
/// `wake` file; partitions only carry a flag that somebody sleeps, so that publishing without a
/// sleeper costs a load. The flag is taken back by the publisher, so a reader that was killed in
/// its sleep costs one idle wake-up and no more. Thread-safe.
class WakeHub {
 public:
  static constexpr const char* file_name = "wake";

  /// Maps the word, creating the file if `owner`; without room on the disk, or for readers without
  /// the right to write, falls back to private memory.
  static Result<WakeHub> open(const os::DirectoryPtr& directory, bool owner);

  /// After an offset of `partition` was published: wakes who sleeps for it.
  void notify(storage::ControlBlock& partition) const noexcept {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (partition.sleepers.load(std::memory_order_relaxed) != 0) wake(partition);
  }

  /// Wakes everybody, for example to close.
  void wake_everybody() const noexcept;

  /// Returns true once `ready()` is, false at `deadline`. `partitions` are those that can make it
  /// so. Spurious looks are normal.
  bool wait(std::span<storage::ControlBlock* const> partitions, WaitStrategy strategy,
            std::chrono::steady_clock::time_point deadline,
            const std::function<bool()>& ready) const;

 private:
  void wake(storage::ControlBlock& partition) const noexcept;

  os::Mapping map_;
  std::shared_ptr<std::atomic<std::uint32_t>> own_;
  std::atomic<std::uint32_t>* word_ = nullptr;
  bool reachable_ = true;  // whether publishers know our word
};

}  // namespace millrace::inline v0::engine
