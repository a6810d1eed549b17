#include "transaction_model.hpp"

#include "campaign.hpp"
#include "catch.hpp"

using namespace millrace_test;
using millrace::test::History;
using millrace::test::HistoryChecker;
using millrace::test::HistoryEntry;

namespace {

/// The seed of the first run that found a problem whose text begins with `told`, and which; runs
/// `count` seeds.
std::optional<std::string> first_problem(std::uint64_t seed, std::uint64_t count,
                                         TransactionSabotage sabotage = TransactionSabotage::none,
                                         const std::string& told = "") {
  for (std::uint64_t i = 0; i < count; ++i) {
    TransactionModel model(seed + i, sabotage);
    model.run(1'000);
    const HistoryChecker checker(model.history());
    for (const std::string& problem : checker.problems()) {
      if (!problem.starts_with(told)) continue;
      return "MILLRACE_SEED=" + std::to_string(seed + i) + ": " + problem;
    }
  }
  return std::nullopt;
}

/// One transaction of two records and an offset, committed and seen.
History good_history() {
  using Kind = HistoryEntry::Kind;
  return {
      {Kind::begin, 1, "-", 7},     {Kind::send, 1, "out-0", 0},    {Kind::send, 1, "out-0", 1},
      {Kind::offset, 1, "in-0", 2}, {Kind::committed, 1, "-", 0},   {Kind::read, 1, "out-0", 0},
      {Kind::read, 1, "out-0", 1},  {Kind::observed, 0, "in-0", 1}, {Kind::observed, 0, "in-0", 2}};
}

}  // namespace

TEST_CASE("Whatever goes wrong, what a transaction does is done once, whole, or not at all",
          "[transaction_model]") {
  const std::uint64_t seed = campaign_seed(1);
  INFO("MILLRACE_SEED=" << seed);
  CHECK(first_problem(seed, campaign_rounds(10'000, 300'000)).value_or("") == "");
}

TEST_CASE("The model's producers get something done", "[transaction_model]") {
  int commits = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    TransactionModel model(seed);
    model.run(1'000);
    commits += model.commits();
  }
  CHECK(commits > 300);
}

TEST_CASE("The model notices what must not happen to transactions", "[transaction_model]") {
  const auto [sabotage, told] = GENERATE(table<TransactionSabotage, std::string>({
      {TransactionSabotage::decide_unsynced, "lost"},
      {TransactionSabotage::forget_ends, "torn"},
      {TransactionSabotage::commit_unsynced, "lost"},
      {TransactionSabotage::commit_unsynced, "torn"},
      {TransactionSabotage::forget_offsets, "duplicate"},
      {TransactionSabotage::drop_marker, "torn"},
      {TransactionSabotage::read_aborted, "aborted read"},
      {TransactionSabotage::swap_reads, "reordered"},
      {TransactionSabotage::forget_group_marker, "non-monotonic"},
  }));
  CHECK_THAT(first_problem(1, 5'000, sabotage, told).value_or("nothing found"),
             Catch::Matchers::Contains(told));
}

TEST_CASE("The history checker has a problem for each thing that must not be",
          "[transaction_model]") {
  CHECK(HistoryChecker(good_history()).problems().empty());
  History history = good_history();
  const auto problem = [&] {
    const HistoryChecker checker(history);
    return checker.problems().empty() ? std::string() : checker.problems().front();
  };
  SECTION("lost") {
    history.erase(history.begin() + 5, history.begin() + 7);
    CHECK_THAT(problem(), Catch::Matchers::StartsWith("lost"));
  }
  SECTION("duplicate") {
    history.insert(history.begin() + 5, history[5]);
    CHECK_THAT(problem(), Catch::Matchers::StartsWith("duplicate"));
  }
  SECTION("reordered") {
    std::swap(history[5], history[6]);
    CHECK_THAT(problem(), Catch::Matchers::StartsWith("reordered"));
  }
  SECTION("aborted read") {
    history[4].kind = HistoryEntry::Kind::aborted;
    CHECK_THAT(problem(), Catch::Matchers::StartsWith("aborted read"));
  }
  SECTION("torn") {
    history.erase(history.begin() + 6);
    CHECK_THAT(problem(), Catch::Matchers::StartsWith("torn"));
  }
  SECTION("torn from its offsets") {
    history.pop_back();
    CHECK_THAT(problem(), Catch::Matchers::StartsWith("torn"));
  }
  SECTION("non-monotonic") {
    std::swap(history[7], history[8]);
    CHECK_THAT(problem(), Catch::Matchers::StartsWith("non-monotonic"));
  }
}
