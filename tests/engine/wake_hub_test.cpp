#include <millrace/engine/wake_hub.hpp>
#include <millrace/testing/faulty_io.hpp>
#include <thread>

#include "catch.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using engine::WaitStrategy;
using engine::WakeHub;
using namespace std::chrono_literals;

namespace {

constexpr auto never = std::chrono::steady_clock::time_point::max();
constexpr auto strategies = {WaitStrategy::block, WaitStrategy::yield, WaitStrategy::spin};

std::unique_ptr<storage::ControlBlock> make_block() {
  return std::make_unique<storage::ControlBlock>();
}

}  // namespace

TEST_CASE("what is ready needs no wait, what is not waits up to the deadline", "[engine][wake]") {
  const auto hub = WakeHub::open(os::make_memory_directory(), true).value();
  const auto block = make_block();
  storage::ControlBlock* partitions[] = {block.get()};
  const auto past = std::chrono::steady_clock::now() - 1s;
  for (const WaitStrategy strategy : strategies) {
    CHECK(hub.wait(partitions, strategy, past, [] { return true; }));
    CHECK_FALSE(hub.wait(partitions, strategy, past, [] { return false; }));
    const auto soon = std::chrono::steady_clock::now() + 1ms;
    CHECK_FALSE(hub.wait(partitions, strategy, soon, [] { return false; }));
    CHECK(std::chrono::steady_clock::now() >= soon);
  }
}

TEST_CASE("a publisher wakes who sleeps for its partition, and takes the flag", "[engine][wake]") {
  const auto hub = WakeHub::open(os::make_memory_directory(), true).value();
  const auto quiet = make_block();
  const auto busy = make_block();
  for (const WaitStrategy strategy : strategies) {
    std::atomic<bool> published{false};
    storage::ControlBlock* partitions[] = {quiet.get(), busy.get()};
    bool woken = false;
    std::thread reader(
        [&] { woken = hub.wait(partitions, strategy, never, [&] { return published.load(); }); });
    if (strategy == WaitStrategy::block) {
      while (busy->sleepers.load() == 0) std::this_thread::yield();
    }
    published.store(true);
    hub.notify(*busy);
    reader.join();
    CHECK(woken);
    CHECK(busy->sleepers.load() == 0);
  }
}

TEST_CASE("a flag that a killed reader left is taken once", "[engine][wake]") {
  const auto hub = WakeHub::open(os::make_memory_directory(), true).value();
  const auto block = make_block();
  block->sleepers.store(1);
  hub.notify(*block);
  CHECK(block->sleepers.load() == 0);
  hub.notify(*block);
  CHECK(block->sleepers.load() == 0);
}

TEST_CASE("everybody can be woken without a partition", "[engine][wake]") {
  const auto hub = WakeHub::open(os::make_memory_directory(), true).value();
  const auto block = make_block();
  std::atomic<bool> closing{false};
  storage::ControlBlock* partitions[] = {block.get()};
  std::thread reader([&] {
    CHECK(hub.wait(partitions, WaitStrategy::block, never, [&] { return closing.load(); }));
  });
  while (block->sleepers.load() == 0) std::this_thread::yield();
  closing.store(true);
  hub.wake_everybody();
  reader.join();
}

TEST_CASE("owner and attachments share one word", "[engine][wake]") {
  const test::TempDirectory temp;
  const auto directory = os::open_directory(temp.path(), true).value();
  const auto owner = WakeHub::open(directory, true).value();
  const auto attached =
      WakeHub::open(os::open_directory(temp.path(), false).value(), false).value();
  const auto block = make_block();
  std::atomic<bool> published{false};
  storage::ControlBlock* partitions[] = {block.get()};
  std::thread reader([&] {
    CHECK(attached.wait(partitions, WaitStrategy::block, never, [&] { return published.load(); }));
  });
  while (block->sleepers.load() == 0) std::this_thread::yield();
  published.store(true);
  owner.notify(*block);
  reader.join();
}

TEST_CASE("a reader that nobody can wake looks by itself", "[engine][wake]") {
  const test::TempDirectory temp;
  const auto directory = os::open_directory(temp.path(), true).value();
  const auto block = make_block();
  std::atomic<int> looks{0};
  const auto after_some_looks = [&] { return ++looks > 100; };
  SECTION("for there is no file") {
    const auto hub = WakeHub::open(directory, false).value();
    storage::ControlBlock* partitions[] = {block.get()};
    CHECK(hub.wait(partitions, WaitStrategy::block, never, after_some_looks));
  }
  SECTION("for the file is cut short") {
    directory->replace_file(WakeHub::file_name, "short").value();
    const auto hub = WakeHub::open(directory, false).value();
    CHECK(directory->read_file(WakeHub::file_name).value() == "short");
    storage::ControlBlock* partitions[] = {block.get()};
    CHECK(hub.wait(partitions, WaitStrategy::block, never, after_some_looks));
  }
  SECTION("for it cannot leave its mark in one of the partitions") {
    const auto hub = WakeHub::open(directory, true).value();
    storage::ControlBlock* partitions[] = {block.get(), nullptr};
    CHECK(hub.wait(partitions, WaitStrategy::block, never, after_some_looks));
  }
}

TEST_CASE("an owner without room for the file wakes its own readers", "[engine][wake]") {
  const test::TempDirectory temp;
  testing::FaultyIo io;
  const auto directory = os::open_directory(temp.path(), true, &io).value();
  io.fail({.os_code = ENOSPC, .path_suffix = WakeHub::file_name, .for_ever = true});
  const auto hub = WakeHub::open(directory, true).value();
  const auto block = make_block();
  std::atomic<bool> published{false};
  storage::ControlBlock* partitions[] = {block.get()};
  std::thread reader([&] {
    CHECK(hub.wait(partitions, WaitStrategy::block, never, [&] { return published.load(); }));
  });
  while (block->sleepers.load() == 0) std::this_thread::yield();
  published.store(true);
  hub.notify(*block);
  reader.join();
}
