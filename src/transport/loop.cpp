#include "transport/loop.hpp"

#include <millrace/transport/brief_look.hpp>

#include "transport/connection.hpp"

namespace millrace::inline v0::transport {
namespace {
constexpr std::size_t scratch_bytes = 128 * 1024;
constexpr std::size_t most_spare_bytes = 1 << 20;
}  // namespace

AsioLoop::AsioLoop()
    : guard_(asio::make_work_guard(context_)), timer_(context_), scratch_(scratch_bytes) {}

void AsioLoop::post(std::function<void()> work) {
  asio::post(context_, std::move(work));
}

Loop::TimerId AsioLoop::call_at(Clock::Steady when, std::function<void()> work) {
  const TimerId id = ++last_timer_;
  times_.emplace(id, when);
  const auto at = due_.emplace(Key{when, id}, std::move(work)).first;
  if (at == due_.begin()) arm();
  return id;
}

void AsioLoop::cancel(TimerId timer) {
  const auto found = times_.find(timer);
  if (found == times_.end()) return;
  // The timer stays armed: it fires once for nothing instead of being set anew for each.
  due_.erase({found->second, timer});
  times_.erase(found);
}

void AsioLoop::arm() {
  if (due_.empty()) return;
  timer_.expires_at(due_.begin()->first.first);
  timer_.async_wait([this](ErrorCode failed) {
    if (!failed) run_due();
  });
}

void AsioLoop::run_due() {
  const auto now = std::chrono::steady_clock::now();
  while (!due_.empty() && due_.begin()->first.first <= now) {
    auto due = due_.extract(due_.begin());
    times_.erase(due.key().second);
    due.mapped()();
  }
  arm();
}

FrameMemory AsioLoop::take_memory(std::size_t bytes) {
  // Little more than the frame, for the budget knows of the frame only.
  const bool fits = spare_.capacity() >= bytes && spare_.capacity() - bytes <= bytes / 8;
  if (!fits) return FrameMemory(bytes);
  spare_.set_size(bytes);
  return std::move(spare_);
}

void AsioLoop::give_back(FrameMemory memory) noexcept {
  const std::size_t capacity = memory.capacity();
  const bool is_held = capacity == 0;
  if (!is_held && capacity <= most_spare_bytes) spare_ = std::move(memory);
}

void AsioLoop::start() {
  thread_ = std::thread([this] { run(); });
}

/// Looks on for a moment before it sleeps, as readers of a log do: who asks one thing after another
/// does not pay for waking the thread each time.
void AsioLoop::run() {
  using std::chrono::steady_clock;
  constexpr int least_of_a_conversation = 8;  // a single request makes two or three
  BriefLook look;
  while (context_.run_one() > 0) {
    if (!look.is_due()) continue;
    int seen = 0;
    for (auto last = steady_clock::now(), now = last;
         now - last < BriefLook::length && !context_.stopped(); now = steady_clock::now()) {
      if (context_.poll() == 0) continue;
      ++seen;
      last = steady_clock::now();  // what it did may have taken long
    }
    if (seen >= least_of_a_conversation) {
      look.found();
    } else {
      look.missed();
    }
  }
}

void AsioLoop::stop() {
  if (!thread_.joinable()) return;
  post([this] {
    const std::vector<Connection*> open(connections_.begin(), connections_.end());
    for (Connection* connection : open) connection->close();
    due_.clear();
    times_.clear();
    timer_.cancel();
    guard_.reset();
  });
  thread_.join();
}

}  // namespace millrace::inline v0::transport
