#include "group_model.hpp"

#include "campaign.hpp"
#include "catch.hpp"

using namespace millrace_test;

namespace {

/// The seed of the first run that found a problem whose text has `told`, and which; runs `count`
/// seeds.
std::optional<std::string> first_problem(std::uint64_t seed, std::uint64_t count,
                                         Sabotage sabotage = Sabotage::none,
                                         const std::string& told = "") {
  for (std::uint64_t i = 0; i < count; ++i) {
    GroupModel model(seed + i, sabotage);
    model.run(200);
    if (!model.problems().empty() && model.problems().front().find(told) != std::string::npos) {
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
  const auto [sabotage, told] = GENERATE(table<Sabotage, std::string>({
      {Sabotage::commit_ahead, "committed, never delivered"},
      {Sabotage::ignore_fencing, "went back from"},
      {Sabotage::share_partition, "both own"},
      {Sabotage::forget_commits, "although"},
  }));
  CHECK_THAT(first_problem(1, 2'000, sabotage, told).value_or(""), Catch::Matchers::Contains(told));
}
