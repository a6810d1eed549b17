#include "log_model.hpp"

#include "campaign.hpp"
#include "catch.hpp"

using namespace millrace::test;

TEST_CASE("a storage log tells what a reference log tells", "[model][log]") {
  const std::uint64_t seed = millrace_test::campaign_seed(1);
  const std::uint64_t rounds = millrace_test::campaign_rounds(100, 6'000);
  INFO("MILLRACE_SEED=" << seed);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    LogModel model(seed + round);
    REQUIRE(model.run(300) == "");
    REQUIRE(model.check_all() == "");
  }
}

TEST_CASE("a storage log tells the same to who attached before its index was replaced",
          "[model][log]") {
  LogModel model(1000013);
  REQUIRE(model.run(300) == "");
  REQUIRE(model.check_all() == "");
}

TEST_CASE("a wrong value in a storage log is found out", "[model][canary]") {
  LogModel model(5);
  REQUIRE(model.run(100) == "");
  model.reference().append({{}});  // one that was lost
  CHECK(model.check_all() != "");
}

TEST_CASE("a lie to the model of a storage log is found out as it goes", "[model][canary]") {
  LogModel model(6);
  REQUIRE(model.run(100) == "");
  for (auto& [offset, entry] : model.reference().entries()) entry.record.value = "another";
  CHECK(model.run(100) != "");
}
