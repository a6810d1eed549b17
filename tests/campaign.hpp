#pragma once
#include <cstdint>
#include <cstdlib>
#include <string>

namespace millrace_test {

/// The seed of a random test: MILLRACE_SEED if it is set, `fallback` otherwise. Print it with
/// INFO("MILLRACE_SEED=" << seed), so that a failure can be repeated.
inline std::uint64_t campaign_seed(std::uint64_t fallback) {
  const char* text = std::getenv("MILLRACE_SEED");
  return text != nullptr && *text != '\0' ? std::strtoull(text, nullptr, 0) : fallback;
}

/// Whether this is a long run: MILLRACE_LONG is set, not empty and not 0.
inline bool is_long_run() {
  const char* text = std::getenv("MILLRACE_LONG");
  return text != nullptr && *text != '\0' && std::string(text) != "0";
}

/// How many rounds a campaign takes: few in a normal run, many in a long one.
inline std::uint64_t campaign_rounds(std::uint64_t normal, std::uint64_t long_run) {
  return is_long_run() ? long_run : normal;
}

}  // namespace millrace_test
