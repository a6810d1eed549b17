#include <millrace/os/directory.hpp>
#include <millrace/os/mapping.hpp>
#include <millrace/os/wait_word.hpp>
#include <thread>

#include "catch.hpp"
#include "child_process.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace std::chrono_literals;
using Word = std::atomic<std::uint32_t>;

namespace {

void set(Word& word, std::uint32_t value) {
  word.store(value, std::memory_order_release);
  os::wake_all(word);
}

void wait_until(const Word& word, std::uint32_t value) {
  for (auto seen = word.load(std::memory_order_acquire); seen != value;
       seen = word.load(std::memory_order_acquire))
    os::wait_on(word, seen);
}

constexpr std::uint32_t rounds = 2'000;

/// Answers each number in `ping` with the same one in `pong`.
void echo(const Word& ping, Word& pong) {
  for (std::uint32_t i = 1; i <= rounds; ++i) {
    wait_until(ping, i);
    set(pong, i);
  }
}

void call(Word& ping, const Word& pong) {
  for (std::uint32_t i = 1; i <= rounds; ++i) {
    set(ping, i);
    wait_until(pong, i);
  }
}

}  // namespace

TEST_CASE("a wait ends when the word differs or the time is up", "[os][wait_word]") {
  const Word word{7};
  os::wait_on(word, 8);
  os::wait_on(word, 7, 1ms);
  os::wait_on(word, 7, 0ns);
  os::wait_on(word, 7, -1s);
  os::wake_all(word);
  CHECK(word.load() == 7);
}

TEST_CASE("one wake reaches every waiting thread", "[os][wait_word]") {
  Word go{0}, done{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      wait_until(go, 1);
      done.fetch_add(1);
      os::wake_all(done);
    });
  set(go, 1);
  wait_until(done, 4);
  for (auto& thread : threads) thread.join();
  CHECK(done.load() == 4);
}

TEST_CASE("processes wake each other through a shared map", "[os][wait_word]") {
  const test::TempDirectory temp;
  const auto directory = os::open_directory(temp.path(), false).value();
  auto file = directory->open("control", os::OpenMode::create).value();
  file.resize(4096).value();
  const auto ours = os::Mapping::map(file, 4096, os::MapMode::read_write).value();
  auto* ping = reinterpret_cast<Word*>(ours.data());
  auto* pong = reinterpret_cast<Word*>(ours.data() + 64);

  test::ChildProcess child([&] {
    const auto place = os::open_directory(temp.path(), false);
    const auto again = (*place)->open("control", os::OpenMode::read_write);
    const auto theirs = os::Mapping::map(*again, 4096, os::MapMode::read_write);
    // Waiting needs no right to write.
    const auto readable = os::Mapping::map(*again, 4096, os::MapMode::read_only);
    if (!theirs || !readable || theirs->data() == ours.data()) return 1;
    echo(*reinterpret_cast<const Word*>(readable->data()),
         *reinterpret_cast<Word*>(theirs->data() + 64));
    return 0;
  });
  call(*ping, *pong);
  CHECK(child.wait() == 0);
  CHECK(pong->load() == rounds);
}
