#include "broker_model.hpp"

#include "campaign.hpp"
#include "catch.hpp"

using namespace millrace;
using namespace millrace::test;

TEST_CASE("a broker tells what a reference log tells", "[model][broker]") {
  const std::uint64_t seed = millrace_test::campaign_seed(1);
  const std::uint64_t rounds = millrace_test::campaign_rounds(60, 3'000);
  INFO("MILLRACE_SEED=" << seed);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    BrokerModel model(seed + round);
    REQUIRE(model.run(250) == "");
    REQUIRE(model.check_all() == "");
  }
}

namespace {

/// A model that was used for a while and has records, in whose books it was told no lies yet.
std::unique_ptr<BrokerModel> honest_model(std::uint64_t seed) {
  auto model = std::make_unique<BrokerModel>(seed);
  REQUIRE(model->run(40) == "");
  REQUIRE(model->perform("append_batch") == "");
  REQUIRE(model->check_all() == "");
  return model;
}

PartitionId filled_partition(BrokerModel& model) {
  return model.reference(0).entries().empty() ? 1 : 0;
}

}  // namespace

TEST_CASE("a wrong value is found out", "[model][canary]") {
  auto model = honest_model(7);
  auto& entries = model->reference(filled_partition(*model)).entries();
  entries.rbegin()->second.record.value = "another";
  CHECK(model->check_all() != "");
}

TEST_CASE("a lost record is found out", "[model][canary]") {
  auto model = honest_model(8);
  auto& reference = model->reference(filled_partition(*model));
  const auto last = reference.entries().rbegin()->second;
  reference.append({last.record});
  CHECK(model->check_all() != "");
}

TEST_CASE("a record that nobody appended is found out", "[model][canary]") {
  auto model = honest_model(9);
  auto& entries = model->reference(filled_partition(*model)).entries();
  entries.erase(std::prev(entries.end()));
  CHECK(model->check_all() != "");
}

TEST_CASE("a log that starts too early is found out", "[model][canary]") {
  auto model = honest_model(10);
  const PartitionId id = filled_partition(*model);
  model->reference(id).raise_start(model->reference(id).end());
  CHECK(model->check_all() != "");
}

TEST_CASE("a lie is found by random reads alone", "[model][canary]") {
  auto model = honest_model(11);
  for (PartitionId id = 0; id < BrokerModel::partitions; ++id) {
    for (auto& [offset, entry] : model->reference(id).entries()) entry.record.time += 1;
  }
  std::string wrong;
  for (int i = 0; i < 100 && wrong.empty(); ++i) wrong = model->perform("read");
  CHECK(wrong != "");
  wrong.clear();
  for (int i = 0; i < 100 && wrong.empty(); ++i) wrong = model->perform("poll");
  CHECK(wrong != "");
}
