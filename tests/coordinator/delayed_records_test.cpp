#include <algorithm>
#include <map>
#include <millrace/coordinator/delayed_records.hpp>
#include <random>

#include "campaign.hpp"
#include "catch.hpp"

using namespace millrace;
using coordinator::DelayedRecords;

namespace {

std::vector<std::int64_t> due(DelayedRecords& records, std::int64_t now, std::size_t most = 100) {
  std::vector<std::int64_t> offsets;
  for (const auto& one : records.due(Timestamp{now}, most)) offsets.push_back(one.offset.value());
  return offsets;
}

}  // namespace

TEST_CASE("What is due comes by its time, then by its offset", "[delayed]") {
  DelayedRecords records;
  CHECK_FALSE(records.next());
  CHECK_FALSE(records.oldest());
  records.add({Timestamp{30}, Offset{1}});
  records.add({Timestamp{10}, Offset{4}});
  records.add({Timestamp{20}, Offset{5}});
  records.add({Timestamp{10}, Offset{7}});
  CHECK(due(records, 9).empty());
  CHECK(due(records, 20) == std::vector<std::int64_t>{4, 7, 5});
  CHECK(due(records, 30, 2) == std::vector<std::int64_t>{4, 7});
  CHECK(due(records, 30) == std::vector<std::int64_t>{4, 7, 5, 1});  // until removed
  CHECK(records.oldest() == Offset{1});
  records.remove(Offset{4});
  records.remove(Offset{4});
  records.remove(Offset{6});
  CHECK(records.size() == 3);
  CHECK(records.next()->offset == Offset{7});
  records.remove(Offset{1});
  CHECK(records.oldest() == Offset{5});
  records.remove_before(Offset{7});
  CHECK(due(records, 30) == std::vector<std::int64_t>{7});
  records.remove(Offset{7});
  CHECK(records.empty());
  CHECK_FALSE(records.next());
}

TEST_CASE("Delayed records are what a sorted list of them is", "[delayed]") {
  const std::uint64_t seed = millrace_test::campaign_seed(1);
  INFO("MILLRACE_SEED=" << seed);
  std::mt19937_64 random(seed);
  const auto draw = [&](std::int64_t below) {
    return std::uniform_int_distribution<std::int64_t>(0, below - 1)(random);
  };
  DelayedRecords records;
  std::map<std::int64_t, std::int64_t> waiting;  // time by offset
  std::int64_t offset = 0;
  for (int step = 0; step < 20'000; ++step) {
    // In turns more are added and more are removed.
    if (draw(10) < (step / 2'000 % 2 == 0 ? 7 : 3)) {
      offset += 1 + draw(3);
      waiting[offset] = draw(1'000);
      records.add({Timestamp{waiting[offset]}, Offset{offset}});
    } else if (draw(500) == 0) {
      const std::int64_t start = offset - draw(200);
      waiting.erase(waiting.begin(), waiting.lower_bound(start));
      records.remove_before(Offset{start});
    } else {
      const auto at = waiting.lower_bound(offset - draw(2'000));
      const std::int64_t removed = at == waiting.end() ? offset : at->first;
      waiting.erase(removed);
      records.remove(Offset{removed});
    }
    REQUIRE(records.size() == waiting.size());
    REQUIRE(records.oldest().has_value() == !waiting.empty());
    if (!waiting.empty()) REQUIRE(records.oldest() == Offset{waiting.begin()->first});
    if (step % 100 != 0) continue;
    std::vector<std::pair<std::int64_t, std::int64_t>> expected;
    for (const auto& [at, time] : waiting) expected.emplace_back(time, at);
    std::sort(expected.begin(), expected.end());
    expected.resize(std::min<std::size_t>(expected.size(), 20));
    std::vector<std::pair<std::int64_t, std::int64_t>> found;
    for (const auto& one : records.due(Timestamp{1'000}, 20)) {
      found.emplace_back(one.deliver_at.milliseconds(), one.offset.value());
    }
    REQUIRE(found == expected);
  }
}
