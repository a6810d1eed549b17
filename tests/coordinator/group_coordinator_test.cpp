#include <millrace/coordinator/consumer_protocol.hpp>
#include <millrace/coordinator/group_coordinator.hpp>

#include "group_fixture.hpp"

using namespace millrace_test;
using coordinator::GroupState;
using millrace::Offset;

namespace {

coordinator::OffsetToCommit offset_of(std::string topic, std::int32_t partition,
                                      std::int64_t offset) {
  return {{std::move(topic), partition},
          {Offset{offset},
           millrace::LeaderEpoch{0},
           "note",
           millrace::Timestamp(1'700'000'000'000),
           {}}};
}

coordinator::CommitRequest simple_commit(std::vector<coordinator::OffsetToCommit> offsets) {
  return {{"g", {}, -1}, std::move(offsets)};
}

std::optional<std::int64_t> committed(GroupWorld& world, std::string_view topic,
                                      std::int32_t partition) {
  const auto* found = world->committed("g", topic, partition);
  return found ? std::optional(found->offset.value()) : std::nullopt;
}

}  // namespace

TEST_CASE("A commit counts when it is durable", "[group_coordinator]") {
  GroupWorld world;
  world.holds_writes = true;
  const Token token = world.commit(simple_commit({offset_of("t", 0, 7), offset_of("t", 1, 8)}));
  CHECK(world.commit_reply(token) == nullptr);
  CHECK_FALSE(committed(world, "t", 0));
  SECTION("it is") {
    world.end_writes();
    CHECK(world.commit_reply(token)->answer);
    CHECK(committed(world, "t", 0) == 7);
    CHECK(committed(world, "t", 1) == 8);
    CHECK(world->committed("g", "t", 0)->metadata == "note");
  }
  SECTION("it could not be written") {
    world.end_writes(millrace::Error(Errc::no_space, "the disk is full"));
    CHECK(code_of(world.commit_reply(token)) == Errc::no_space);
    CHECK_FALSE(committed(world, "t", 0));
  }
}

TEST_CASE("Of two commits the one written last counts, whichever ends first",
          "[group_coordinator]") {
  GroupWorld world;
  world.holds_writes = true;
  world.commit(simple_commit({offset_of("t", 0, 7)}));
  world.commit(simple_commit({offset_of("t", 0, 9)}));
  world.end_writes({}, true);
  CHECK(committed(world, "t", 0) == 9);
}

TEST_CASE("Only members of the present generation commit for a group that has members",
          "[group_coordinator]") {
  GroupWorld world;
  const std::string id = lone_member(world);
  CHECK(world.commit_reply(world.commit({member(id, 1), {offset_of("t", 0, 3)}}))->answer);
  CHECK(code_of(world.commit_reply(world.commit({member(id, 0), {offset_of("t", 0, 4)}}))) ==
        Errc::illegal_generation);
  CHECK(code_of(world.commit_reply(world.commit({member("x", 1), {offset_of("t", 0, 4)}}))) ==
        Errc::unknown_member);
  CHECK(code_of(world.commit_reply(world.commit(simple_commit({offset_of("t", 0, 4)})))) ==
        Errc::unknown_member);
  // While others join again, what was read so far may still be committed; once all have, not.
  const Token second = world.join(joining());
  CHECK(world.commit_reply(world.commit({member(id, 1), {offset_of("t", 0, 5)}}))->answer);
  world.join(joining(id));
  REQUIRE(world.join_reply(second) != nullptr);
  CHECK(code_of(world.commit_reply(world.commit({member(id, 2), {offset_of("t", 0, 6)}}))) ==
        Errc::rebalance_in_progress);
  CHECK(committed(world, "t", 0) == 5);
}

TEST_CASE("Commits that cannot be are refused", "[group_coordinator]") {
  GroupWorld world;
  auto offset = offset_of("t", 3, 1);
  offset.committed.metadata.assign(4097, 'x');
  const auto* reply = world.commit_reply(world.commit(simple_commit({offset})));
  CHECK(code_of(reply) == Errc::invalid_argument);
  CHECK(reply->answer.error().message() ==
        "t-3: committing with 4097 bytes of metadata, of which 4096 are allowed "
        "(offset.metadata.max.bytes)");
  CHECK(code_of(world.commit_reply(world.commit({member("x", 1), {offset_of("t", 0, 1)}}))) ==
        Errc::illegal_generation);
  CHECK(world->group("g") == nullptr);
}

TEST_CASE("Everything comes back from the records", "[group_coordinator]") {
  GroupWorld world;
  const auto [leader, follower] = two_members(world);
  world.commit({member(follower, 2), {offset_of("t", 0, 5), offset_of("u", 2, 6)}});
  world.commit({member(leader, 2), {offset_of("t", 0, 7)}});
  world.restart();
  CHECK(committed(world, "t", 0) == 7);
  CHECK(committed(world, "u", 2) == 6);
  const auto* group = world->group("g");
  REQUIRE(group != nullptr);
  CHECK(group->state() == GroupState::stable);
  CHECK(group->generation() == 2);
  CHECK(group->leader() == leader);
  CHECK(group->members().at(follower).assignment == owned(follower));
  CHECK(group->members().at(follower).session_timeout == milliseconds(10'000));
  CHECK(world->heartbeat(member(follower, 2), world.now()));
  world.pass(milliseconds(10'000));
  CHECK(world->group("g")->state() == GroupState::empty);
}

TEST_CASE("Members of a process that is gone do not keep the next waiting", "[group_coordinator]") {
  GroupWorld world;
  auto request = joining();
  request.client_host = coordinator::own_process;
  lone_member(world, request);
  world.restart();
  world.pass(milliseconds(0));
  CHECK(world->group("g")->state() == GroupState::empty);
  CHECK(world.join_reply(world.join(request))->answer);
}

TEST_CASE("A group is deleted when it has no members", "[group_coordinator]") {
  GroupWorld world;
  const std::string id = lone_member(world);
  world.commit({member(id, 1), {offset_of("t", 0, 5)}});
  GroupActions actions;
  world->remove_group("g", coordinator::Token{901}, actions);
  CHECK(actions.commits[0].answer.error().message() ==
        "group g has 1 members; stop them before deleting it");
  world->remove_group("h", coordinator::Token{902}, actions);
  CHECK(actions.commits[1].answer.error().code() == Errc::unknown_group);
  REQUIRE(world.leave({id, {}}));
  world->remove_group("g", coordinator::Token{903}, actions);
  REQUIRE(actions.writes.size() == 1);
  CHECK(actions.writes[0].records.size() == 2);
  CHECK(world->group("g") == nullptr);
  SECTION("but not if that cannot be written") {
    const millrace::Error full(Errc::no_space, "the disk is full");
    world->written(actions.writes[0].id, full, world.now(), actions);
    CHECK(actions.commits.back().answer.error().code() == Errc::no_space);
    REQUIRE(world->group("g") != nullptr);
    CHECK(committed(world, "t", 0));
    return;
  }
  world->written(actions.writes[0].id, {}, world.now(), actions);
  CHECK(actions.commits.back().answer);
  CHECK_FALSE(committed(world, "t", 0));
  for (auto& record : actions.writes[0].records) world.log.push_back(record);
  world.restart();
  CHECK(world->group("g") == nullptr);
}

TEST_CASE("Offsets of groups that are not used expire", "[group_coordinator]") {
  constexpr milliseconds week = std::chrono::hours(24 * 7);
  GroupWorld world;
  const std::string id = lone_member(world);
  world.commit({member(id, 1), {offset_of("t", 0, 5)}});
  for (milliseconds passed(0); passed <= week; passed += std::chrono::hours(6)) {
    world.pass(std::chrono::hours(6));  // by now it is no member any more
  }
  CHECK_FALSE(committed(world, "t", 0));
  CHECK(world->group("g") == nullptr);
  world.restart();
  CHECK(world->group("g") == nullptr);
}

TEST_CASE("The offsets of a topic go with it", "[group_coordinator]") {
  GroupWorld world;
  world.commit(simple_commit({offset_of("t", 0, 5), offset_of("t", 1, 5), offset_of("u", 0, 6)}));
  REQUIRE(world.remove_topic("t")->answer);
  CHECK_FALSE(committed(world, "t", 0));
  CHECK(committed(world, "u", 0) == 6);
  world.restart();
  CHECK_FALSE(committed(world, "t", 0));
  CHECK(committed(world, "u", 0) == 6);
  REQUIRE(world.remove_topic("unknown")->answer);
}

TEST_CASE("A commit under way is forgotten with its topic, whichever ends first",
          "[group_coordinator]") {
  GroupWorld world;
  world.holds_writes = true;
  world.commit(simple_commit({offset_of("t", 0, 5), offset_of("u", 0, 6)}));
  CHECK(world.remove_topic("t") == nullptr);
  world.end_writes({}, GENERATE(false, true));
  CHECK(world.commits.size() == 2);
  CHECK_FALSE(committed(world, "t", 0));
  CHECK(committed(world, "u", 0) == 6);
}

TEST_CASE("Offsets of a group are forgotten one by one", "[group_coordinator]") {
  GroupWorld world;
  world.commit(simple_commit({offset_of("t", 0, 5), offset_of("t", 1, 6), offset_of("u", 0, 7)}));
  world.commit({{"other", {}, -1}, {offset_of("t", 0, 8)}});
  REQUIRE(world.remove_offsets("g", {{"t", 0}, {"v", 0}})->answer);
  if (GENERATE(false, true)) world.restart();
  CHECK_FALSE(committed(world, "t", 0));
  CHECK(committed(world, "t", 1) == 6);
  CHECK(committed(world, "u", 0) == 7);
  CHECK(world->committed("other", "t", 0)->offset == Offset{8});
  CHECK(code_of(world.remove_offsets("none", {{"t", 0}})) == Errc::unknown_group);
}

TEST_CASE("A commit under way is forgotten with its partition, whichever ends first",
          "[group_coordinator]") {
  GroupWorld world;
  world.holds_writes = true;
  world.commit(simple_commit({offset_of("t", 0, 5), offset_of("u", 0, 6)}));
  CHECK(world.remove_offsets("g", {{"t", 0}}) == nullptr);
  world.end_writes({}, GENERATE(false, true));
  CHECK(world.commits.size() == 2);
  CHECK_FALSE(committed(world, "t", 0));
  CHECK(committed(world, "u", 0) == 6);
}

TEST_CASE("Offsets of topics that members read are not forgotten", "[group_coordinator]") {
  GroupWorld world;
  coordinator::JoinRequest request = joining();
  coordinator::Subscription subscription;
  subscription.topics = {"t"};
  const bool are_consumers = GENERATE(true, false);
  if (!are_consumers) request.protocol_type = "connect";
  request.protocols[0].metadata = coordinator::encode(subscription).value();
  const std::string id = lone_member(world, request);
  world.commit({member(id, 1), {offset_of("t", 0, 5), offset_of("u", 0, 6)}});

  const auto refused = world.remove_offsets("g", {{"u", 0}, {"t", 0}})->answer;
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::group_not_empty);
  CHECK(refused.error().topic() == (are_consumers ? "t" : ""));
  CHECK(committed(world, "t", 0) == 5);
  CHECK(committed(world, "u", 0) == 6);

  CHECK(world.remove_offsets("g", {{"u", 0}})->answer.has_value() == are_consumers);
  CHECK(committed(world, "u", 0).has_value() != are_consumers);

  // While members join, nobody knows what they will read.
  world.join(joining());
  CHECK(code_of(world.remove_offsets("g", {{"w", 0}})) == Errc::group_not_empty);
}

TEST_CASE("A topic whose offsets cannot be forgotten keeps them, and says so",
          "[group_coordinator]") {
  GroupWorld world;
  world.commit(simple_commit({offset_of("t", 0, 5)}));
  world.holds_writes = true;
  CHECK(world.remove_topic("t") == nullptr);
  world.end_writes(millrace::Error(Errc::no_space, "the disk is full"));
  CHECK(code_of(&world.commits.back()) == Errc::no_space);
  CHECK(committed(world, "t", 0) == 5);
}

TEST_CASE("A group in use keeps offsets but for topics that it does not read any more",
          "[group_coordinator]") {
  GroupWorld world;
  coordinator::JoinRequest request = joining();
  request.session_timeout = std::chrono::minutes(30);
  coordinator::Subscription subscription;
  subscription.topics = {"t"};
  request.protocols[0].metadata = coordinator::encode(subscription).value();
  const bool knows = GENERATE(true, false);
  if (!knows) request.protocols[0].metadata = owned("another protocol");
  const std::string id = lone_member(world, request);
  world.commit({member(id, 1), {offset_of("t", 0, 5), offset_of("u", 0, 6)}});
  for (milliseconds passed(0); passed <= std::chrono::hours(24 * 7);
       passed += std::chrono::minutes(20)) {
    world.pass(std::chrono::minutes(20));
    REQUIRE(world->heartbeat(member(id, 1), world.now()));
  }
  CHECK(committed(world, "t", 0) == 5);
  CHECK(committed(world, "u", 0).has_value() == !knows);
}
