#include "group_model.hpp"

#include "campaign.hpp"
#include "catch.hpp"

using namespace millrace_test;

namespace {

/// The seed of the first run that found a problem, and which; runs `count` seeds.
std::optional<std::string> first_problem(std::uint64_t seed, std::uint64_t count,
                                         Sabotage sabotage = Sabotage::none) {
  for (std::uint64_t i = 0; i < count; ++i) {
    GroupModel model(seed + i, sabotage);
    model.run(200);
    if (!model.problems().empty()) {
      return "MILLRACE_SEED=" + std::to_string(seed + i) + ": " + model.problems().front();
    }
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("Whatever members do, no record is lost or read twice behind a commit", "[group_model]") {
  const std::uint64_t seed = campaign_seed(1);
  INFO("MILLRACE_SEED=" << seed);
  CHECK(first_problem(seed, campaign_rounds(10'000, 300'000)).value_or("") == "");
}

TEST_CASE("The model notices what must not happen", "[group_model]") {
  CHECK(first_problem(1, 300, Sabotage::commit_ahead));
  CHECK(first_problem(1, 300, Sabotage::ignore_fencing));
  CHECK(first_problem(1, 300, Sabotage::share_partition));
  CHECK(first_problem(1, 300, Sabotage::forget_commits));
}
