#pragma once
#include <map>
#include <millrace/transport/session.hpp>
#include <thread>
#include <unordered_set>
#include <vector>

#include "transport/asio.hpp"
#include "transport/frame_memory.hpp"

namespace millrace::inline v0::transport {

class Connection;

/// One thread with its connections; see Loop.
class AsioLoop final : public Loop {
 public:
  AsioLoop();
  ~AsioLoop() override { stop(); }

  void post(std::function<void()> work) override;
  TimerId call_at(Clock::Steady when, std::function<void()> work) override;
  void cancel(TimerId timer) override;

  void start();
  /// Closes the connections and ends the thread once they are gone; timers are dropped.
  void stop();
  bool is_here() const noexcept { return thread_.get_id() == std::this_thread::get_id(); }

  asio::io_context& context() noexcept { return context_; }
  /// Memory for what is read at once, shared by the connections of this loop.
  MutableBytes scratch() noexcept { return scratch_; }
  /// Memory for a long frame. The last that was given back is kept for the next one of about its
  /// length, if it is not too large: who sends long frames sends more of them.
  FrameMemory take_memory(std::size_t bytes);
  void give_back(FrameMemory memory) noexcept;
  std::unordered_set<Connection*>& connections() noexcept { return connections_; }

 private:
  using Key = std::pair<Clock::Steady, TimerId>;
  void run();
  void arm();
  void run_due();

  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  asio::steady_timer timer_;
  std::map<Key, std::function<void()>> due_;
  std::map<TimerId, Clock::Steady> times_;
  TimerId last_timer_ = 0;
  std::vector<std::byte> scratch_;
  FrameMemory spare_;
  std::unordered_set<Connection*> connections_;
  std::thread thread_;
};

}  // namespace millrace::inline v0::transport
