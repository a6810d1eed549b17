#include "delayed_model.hpp"

#include "campaign.hpp"
#include "catch.hpp"

using namespace millrace::test;

namespace {

void campaign(std::uint64_t first, bool flushes) {
  const std::uint64_t seed = millrace_test::campaign_seed(first);
  const std::uint64_t rounds = millrace_test::campaign_rounds(100, 3'000);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    INFO("MILLRACE_SEED=" << seed + round);
    DelayedModel model(seed + round, flushes);
    REQUIRE(model.run(60) == "");
  }
}

}  // namespace

TEST_CASE("delayed records are seen once, at their time, in order, through any crash",
          "[model][delayed]") {
  campaign(1, true);
}

TEST_CASE("so they are where the system flushes, but for what a loss of power took",
          "[model][delayed]") {
  campaign(1'000'000, false);
}

TEST_CASE("a lie to the model of delayed records is found out", "[model][canary]") {
  DelayedModel lost(3, true);
  lost.lie_of_lost();
  CHECK(lost.run(20) == "lost is not seen");
  DelayedModel aborted(4, true);
  REQUIRE(aborted.run(20) == "");
  aborted.lie_of_aborted();
  CHECK(aborted.run(0) != "");
}
