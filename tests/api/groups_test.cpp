#include <millrace/groups.hpp>
#include <millrace/millrace.hpp>
#include <millrace/testing/manual_clock.hpp>

#include "catch.hpp"
#include "group_fixture.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace std::chrono_literals;
using namespace millrace_test;

namespace {

/// A topic "t" of two partitions with ten records each, an hour apart, and a group that committed
/// 4 of the first.
struct Stand {
  testing::ManualClock clock;
  Broker broker = Broker::open(":memory:", {.background_thread = false, .clock = &clock}).value();
  Groups groups{broker};
  Timestamp begin = clock.now();

  Stand() {
    const auto topic = broker.topic<std::string, std::string>("t", {.partitions = 2}).value();
    for (int i = 0; i < 10; ++i) {
      for (PartitionId id : {0, 1}) topic.partition(id).value().append("k", "v").value();
      clock.advance(1h);
    }
    REQUIRE(groups.reset("g", {{{"t", 0}, {}, Offset{4}}}));
  }
  std::int64_t plan(const ResetTo& to, PartitionId id = 0) {
    const auto moves = groups.plan_reset("g", {{"t", id}}, to).value();
    REQUIRE(moves.size() == 1);
    return moves[0].to.value();
  }
};

}  // namespace

TEST_CASE("Groups are listed and described, with their lag", "[groups]") {
  Stand stand;
  CHECK(stand.groups.list().value().size() == 1);
  CHECK(stand.groups.list().value()[0].state == "Empty");
  const TextGroup group{stand.broker, Subscription::topics({"t"}), "g"};
  auto member = group.join().value();
  settle({&member});
  REQUIRE(member.commit({"t", 1}, Offset{7}, "note"));
  const auto described = stand.groups.describe("g").value();
  CHECK(described.summary.state == "Stable");
  CHECK(described.summary.assignor == "cooperative-sticky");
  REQUIRE(described.members.size() == 1);
  CHECK(described.members[0].assignment.size() == 2);
  REQUIRE(described.progress.size() == 2);
  CHECK(described.progress[0].lag() == 6);
  CHECK(described.progress[1].lag() == 3);
  CHECK(described.progress[1].committed->metadata == "note");
  CHECK(described.progress[1].member_id == described.members[0].id);
  CHECK(stand.groups.describe("h").error().message() ==
        "there is no group h: nobody joined it or committed for it, or it has expired");
}

TEST_CASE("A reset goes to begin, end, an offset, a time, or so far", "[groups]") {
  Stand stand;
  CHECK(stand.plan({ResetTo::Begin{}}) == 0);
  CHECK(stand.plan({ResetTo::End{}}) == 10);
  CHECK(stand.plan({ResetTo::Current{}}) == 4);
  CHECK(stand.plan({ResetTo::Current{}}, 1) == 10);
  CHECK(stand.plan({ResetTo::At{Offset{7}}}) == 7);
  CHECK(stand.plan({ResetTo::At{Offset{70}}}) == 10);
  CHECK(stand.plan({ResetTo::Time{stand.begin + 3h}}) == 3);
  CHECK(stand.plan({ResetTo::Time{stand.begin + 30h}}) == 10);
  CHECK(stand.plan({ResetTo::By{-3}}) == 1);
  CHECK(stand.plan({ResetTo::By{-30}}) == 0);
  CHECK(stand.plan({ResetTo::By{std::numeric_limits<std::int64_t>::max()}}) == 10);
  const auto all = stand.groups.plan_reset("g", {}, {ResetTo::Begin{}}).value();
  REQUIRE(all.size() == 1);  // what it has committed
  CHECK(all[0].from == Offset{4});
  CHECK(stand.groups.plan_reset("g", {{"t", 2}}, {ResetTo::Begin{}}).error().code() ==
        Errc::unknown_partition);
  CHECK(stand.groups.plan_reset("h", {}, {ResetTo::Begin{}}).error().code() == Errc::unknown_group);
  CHECK(stand.groups.plan_reset("h", {{"t", 0}}, {ResetTo::Begin{}}).value().size() == 1);
}

TEST_CASE("A group is reset and removed while it has no members", "[groups]") {
  Stand stand;
  const TextGroup group{stand.broker, Subscription::topics({"t"}), "g"};
  {
    auto member = group.join().value();
    settle({&member});
    const auto refused = stand.groups.reset("g", {{{"t", 0}, {}, Offset{0}}});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == Errc::group_not_empty);
    CHECK(refused.error().message().find("stop them first") != std::string::npos);
    CHECK(stand.groups.remove("g").error().code() == Errc::group_not_empty);
    REQUIRE(member.leave());
  }
  REQUIRE(stand.groups.reset("g", {{{"t", 0}, {}, Offset{8}}, {{"t", 1}, {}, Offset{9}}}));
  {
    auto member = group.join().value();
    CHECK(settle({&member}).size() == 3);
  }
  REQUIRE(stand.groups.remove("g"));
  CHECK(stand.groups.list().value().empty());
  CHECK(stand.groups.remove("g").error().code() == Errc::unknown_group);
}

TEST_CASE("Groups of another process can be looked at", "[groups]") {
  const test::TempDirectory directory;
  const auto broker = Broker::open(directory.path()).value();
  const auto topic = broker.topic<std::string, std::string>("t").value();
  topic.partition(0).value().append("k", "v").value();
  const auto attached = Broker::attach(directory.path()).value();
  const Groups seen{attached};
  CHECK(seen.list().value().empty());
  auto member = TextGroup{topic, "g"}.join().value();
  settle({&member});
  REQUIRE(member.commit({"t", 0}, Offset{0}));
  CHECK(seen.list().value()[0].state == "Stable");
  CHECK(seen.describe("g").value().progress[0].lag() == 1);
  REQUIRE(member.leave());
  CHECK(seen.describe("g").value().progress[0].lag() == 0);
  CHECK(seen.list().value()[0].members == 0);
  CHECK(seen.reset("g", {}).error().code() == Errc::read_only);
  CHECK(seen.remove("g").error().code() == Errc::read_only);
}
