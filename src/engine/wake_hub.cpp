#include <millrace/engine/wake_hub.hpp>
#include <millrace/os/wait_word.hpp>
#include <thread>

namespace millrace::inline v0::engine {
namespace {

constexpr std::uint64_t file_bytes = 4096;
// A kernel wake-up takes some 20 us here; looking that long first catches most answers sooner.
constexpr auto spin_time = std::chrono::microseconds(20);
// Without a shared word nobody can wake us: look again at this pace.
constexpr auto poll_time = std::chrono::milliseconds(2);

Result<os::Mapping> map_word(const os::DirectoryPtr& directory, bool owner) {
  MILLRACE_TRY(
      os::File file,
      directory->open(WakeHub::file_name, owner ? os::OpenMode::create : os::OpenMode::read_write));
  MILLRACE_TRY(const std::uint64_t size, file.size());
  if (size < file_bytes && owner) {
    MILLRACE_CHECK(file.reserve(0, file_bytes));
    MILLRACE_CHECK(file.write_zeros(0, file_bytes, file_bytes));
  } else if (size < file_bytes) {
    return Error(Errc::corrupt_data, "the wake file is cut short");
  }
  MILLRACE_TRY(os::Mapping map, os::Mapping::map(file, file_bytes, os::MapMode::read_write));
  MILLRACE_CHECK(map.populate_write(0, file_bytes));
  return map;
}

}  // namespace

Result<WakeHub> WakeHub::open(const os::DirectoryPtr& directory, bool owner) {
  WakeHub hub;
  if (auto map = map_word(directory, owner)) {
    hub.map_ = *std::move(map);
    hub.word_ = reinterpret_cast<std::atomic<std::uint32_t>*>(hub.map_.data());
    return hub;
  }
  hub.own_ = std::make_shared<std::atomic<std::uint32_t>>(0);
  hub.word_ = hub.own_.get();
  hub.reachable_ = owner;
  return hub;
}

void WakeHub::wake(storage::ControlBlock& partition) const noexcept {
  if (partition.sleepers.exchange(0) == 0) return;
  wake_everybody();
}

void WakeHub::wake_everybody() const noexcept {
  word_->fetch_add(1);
  os::wake_all(*word_);
}

bool WakeHub::wait(std::span<storage::ControlBlock* const> partitions, WaitStrategy strategy,
                   std::chrono::steady_clock::time_point deadline,
                   const std::function<bool()>& ready) const {
  using clock = std::chrono::steady_clock;
  auto spin_until = strategy == WaitStrategy::spin ? deadline : clock::now() + spin_time;
  if (strategy == WaitStrategy::block && spin_until > deadline) spin_until = deadline;
  for (unsigned n = 1;; ++n) {
    if (ready()) return true;
    if (strategy == WaitStrategy::yield) std::this_thread::yield();
    if (strategy == WaitStrategy::spin && n % 64 != 0) {
      os::spin_pause();
      continue;
    }
    const auto now = clock::now();
    if (now >= deadline) return false;
    if (strategy == WaitStrategy::yield || now < spin_until) {
      os::spin_pause();
      continue;
    }
    const std::uint32_t seen = word_->load();
    bool can_be_woken = reachable_;
    for (storage::ControlBlock* partition : partitions) {
      if (partition != nullptr) partition->sleepers.store(1);
      can_be_woken &= partition != nullptr;
    }
    // The other half of the fence in notify(): either it sees the flag, or we see its offset. The
    // loads in ready() only acquire, so on arm64 they could go before the stores; never on x86.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (ready()) return true;
    auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline - now);
    if (!can_be_woken && left > poll_time) left = poll_time;
    if (deadline == clock::time_point::max() && can_be_woken) {
      os::wait_on(*word_, seen);
    } else {
      os::wait_on(*word_, seen, left);
    }
  }
}

}  // namespace millrace::inline v0::engine
