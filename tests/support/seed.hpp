#pragma once
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace millrace::test {

/// The seed of random tests: MILLRACE_SEED if set, else a fresh one. Print it with INFO.
inline std::uint64_t seed() {
  static const std::uint64_t value = [] {
    if (const char* text = std::getenv("MILLRACE_SEED"); text != nullptr)
      return static_cast<std::uint64_t>(std::stoull(text));
    return static_cast<std::uint64_t>(std::random_device{}());
  }();
  return value;
}

}  // namespace millrace::test
