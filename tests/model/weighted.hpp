#pragma once
#include <cstdint>

namespace millrace::test {

/// One of `steps`, each as likely as its weight; `random(n)` gives a number below n.
template <typename Steps, typename Random>
const auto& choose_weighted(const Steps& steps, Random&& random) {
  std::uint64_t total = 0;
  for (const auto& step : steps) total += step.weight;
  std::uint64_t at = random(total);
  auto chosen = steps.begin();
  for (; at >= chosen->weight; ++chosen) at -= chosen->weight;
  return *chosen;
}

}  // namespace millrace::test
