#include <atomic>
#include <millrace/engine/scheduler.hpp>
#include <millrace/testing/manual_clock.hpp>

#include "catch.hpp"

using millrace::engine::Scheduler;
using namespace std::chrono_literals;

TEST_CASE("tasks run when they are due, in order of time") {
  millrace::testing::ManualClock clock;
  Scheduler scheduler(clock);
  std::string ran;
  scheduler.at(clock.steady() + 20ms, [&] { ran += "b"; });
  scheduler.at(clock.steady() + 10ms, [&] { ran += "a"; });
  scheduler.post([&] { ran += "0"; });
  CHECK(scheduler.next_due() == clock.steady());
  CHECK(scheduler.run_pending(clock.steady()) == 1);
  CHECK(ran == "0");
  clock.advance(15ms);
  CHECK(scheduler.run_pending(clock.steady()) == 1);
  clock.advance(15ms);
  CHECK(scheduler.run_pending(clock.steady()) == 1);
  CHECK(ran == "0ab");
  CHECK(scheduler.next_due() == std::nullopt);
}

TEST_CASE("with a thread, posted tasks run by themselves, and a task may end it") {
  auto scheduler = std::make_shared<Scheduler>(millrace::system_clock());
  scheduler->start();
  std::atomic<int> ran{0};
  for (int i = 0; i < 100; ++i) {
    scheduler->post([&] {
      ran.fetch_add(1);
      ran.notify_all();
    });
  }
  for (int seen = ran; seen < 100; seen = ran) ran.wait(seen);
  std::atomic<bool> gone{false};
  scheduler->post([&gone, own = scheduler]() mutable {
    own.reset();
    gone = true;
    gone.notify_all();
  });
  scheduler.reset();
  gone.wait(false);
  CHECK(gone);
}
