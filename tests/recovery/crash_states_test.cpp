#include "crash_states.hpp"

#include <cstdlib>

#include "campaign.hpp"
#include "catch.hpp"

using namespace millrace;
using namespace millrace::test;

namespace {

std::uint64_t wanted_states() {
  const char* text = std::getenv("MILLRACE_CRASH_STATES");
  if (text != nullptr && *text != '\0') return std::strtoull(text, nullptr, 0);
  return millrace_test::campaign_rounds(4'000, 100'000);
}

constexpr std::size_t steps_a_run = 60;
constexpr std::size_t crashes_a_run = 60;

/// Tells the disk nothing of syncs: a log that forgets them.
class SwallowedSyncs final : public os::IoHooks {
 public:
  SwallowedSyncs(os::IoHooks& next, os::IoOp op) : next_(next), op_(op) {}
  int before(const os::IoCall& call) noexcept override {
    return call.op == op_ ? 0 : next_.before(call);
  }
  void after(const os::IoCall& call) noexcept override {
    if (call.op != op_) next_.after(call);
  }
  void failed(const os::IoCall& call, int os_code) noexcept override {
    next_.failed(call, os_code);
  }

 private:
  os::IoHooks& next_;
  os::IoOp op_;
};

/// The first thing that goes wrong in `states` states of runs from `seed` on.
std::string campaign(std::uint64_t seed, std::uint64_t states, const WrapHooks& wrap = {},
                     const std::function<bool(const Recipe&)>& wants = {}) {
  std::uint64_t seen = 0;
  for (; seen < states; ++seed) {
    const Recipe recipe = Recipe::from_seed(seed);
    if (wants && !wants(recipe)) continue;
    std::string fault;
    const auto moments = run_recipe(recipe, steps_a_run, fault, wrap);
    if (!fault.empty()) return recipe.name + "; " + fault;
    std::mt19937_64 rng(seed);
    for (std::size_t i = 0; i < crashes_a_run && seen < states; ++i) {
      const auto& moment = moments[rng() % moments.size()];
      auto wrong = try_crash(moment, random_crash(rng), recipe, seen);
      if (!wrong.empty()) return wrong;
    }
  }
  return {};
}

}  // namespace

TEST_CASE("no crash loses what was flushed or brings back what was not written",
          "[recovery][crash]") {
  const std::uint64_t seed = millrace_test::campaign_seed(1);
  const std::uint64_t states = wanted_states();
  INFO("MILLRACE_SEED=" << seed << " MILLRACE_CRASH_STATES=" << states);
  CHECK(campaign(seed, states) == "");
}

TEST_CASE("what long campaigns found stays mended", "[recovery][crash]") {
  // The announcement of an exchange was durably gone before the segments that were replaced.
  CHECK(campaign(293, 400) == "");
  // The hole of a compaction stood before a torn batch: what was not durable was taken for lost.
  CHECK(campaign(375, 400) == "");
  CHECK(campaign(1'000'282, 400) == "");
  // A batch that compaction had emptied was dropped by the next one, though its producer's last.
  CHECK(campaign(3'505'009, 400) == "");
}

TEST_CASE("a log that forgets to sync is found out", "[recovery][crash][canary]") {
  const auto swallow = [](os::IoOp op) {
    return [op](os::IoHooks& next) { return std::make_unique<SwallowedSyncs>(next, op); };
  };
  const auto mapped = [](const Recipe& recipe) {
    return recipe.options.write_path == storage::WritePath::mapped;
  };
  CHECK(campaign(1, 2'000, swallow(os::IoOp::sync_data)) != "");
  CHECK(campaign(1, 2'000, swallow(os::IoOp::sync_range), mapped) != "");
  CHECK(campaign(1, 2'000, swallow(os::IoOp::sync_directory)) != "");
}

namespace {

/// Prints every call.
class Story final : public os::IoHooks {
 public:
  explicit Story(os::IoHooks& next) : next_(next) {}
  int before(const os::IoCall& call) noexcept override { return next_.before(call); }
  void after(const os::IoCall& call) noexcept override {
    next_.after(call);
    std::printf("    %s %s %llu+%llu %s\n", std::string(os::name_of(call.op)).c_str(),
                std::string(call.path).c_str(), static_cast<unsigned long long>(call.position),
                static_cast<unsigned long long>(call.length), std::string(call.new_path).c_str());
  }
  void failed(const os::IoCall& call, int os_code) noexcept override {
    next_.failed(call, os_code);
  }

 private:
  os::IoHooks& next_;
};

}  // namespace

TEST_CASE("tell what the run of a seed does", "[.story]") {
  const Recipe recipe = Recipe::from_seed(millrace_test::campaign_seed(1));
  std::printf("%s\n", recipe.name.c_str());
  std::string fault;
  const auto moments = run_recipe(recipe, steps_a_run, fault,
                                  [](os::IoHooks& next) { return std::make_unique<Story>(next); });
  CHECK(fault == "");
  CHECK_FALSE(moments.empty());
}
