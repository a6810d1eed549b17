#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace millrace::inline v0::os {

/// Sleeps while `word == expected`, until wake_all() on the same word, the time-out, or for no
/// reason at all: callers loop. Works between processes when `word` lies in a shared mapping
/// (futex(2), not the private kind). Without a time-out waits for ever.
void wait_on(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
             std::optional<std::chrono::nanoseconds> timeout = {}) noexcept;

/// Wakes everybody in wait_on() for this word.
void wake_all(const std::atomic<std::uint32_t>& word) noexcept;

/// Wakes one of them, if there is one.
void wake_one(const std::atomic<std::uint32_t>& word) noexcept;

/// A hint to the processor in a spin loop.
inline void spin_pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace millrace::inline v0::os
