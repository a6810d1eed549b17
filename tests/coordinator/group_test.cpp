#include <millrace/coordinator/group.hpp>

#include "group_fixture.hpp"

using namespace millrace_test;
using coordinator::GroupState;

namespace {

GroupState state_of(GroupWorld& world) {
  return world->group("g")->state();
}

}  // namespace

TEST_CASE("The first member of a group leads it at once", "[group]") {
  GroupWorld world;
  const auto* joined = world.join_reply(world.join(joining()));
  REQUIRE(joined != nullptr);
  const auto& answer = joined->answer.value();
  CHECK(answer.generation == 1);
  CHECK(answer.protocol == "range");
  CHECK(answer.leader == answer.member_id);
  REQUIRE(answer.members.size() == 1);
  CHECK(answer.members[0].metadata == owned("sub"));
  CHECK(state_of(world) == GroupState::completing_rebalance);
  const auto* synced =
      world.sync_reply(world.sync(assigning(answer.member_id, 1, {answer.member_id})));
  REQUIRE(synced != nullptr);
  CHECK(synced->answer.value().assignment == owned(answer.member_id));
  CHECK(state_of(world) == GroupState::stable);
}

TEST_CASE("A second member makes the first join again", "[group]") {
  GroupWorld world;
  const std::string first = lone_member(world);
  const Token second = world.join(joining());
  CHECK(world.join_reply(second) == nullptr);
  CHECK(state_of(world) == GroupState::preparing_rebalance);
  CHECK(world->heartbeat(member(first, 1), world.now()).error().code() ==
        Errc::rebalance_in_progress);
  const Token again = world.join(joining(first));
  REQUIRE(world.join_reply(second) != nullptr);
  const auto& led = world.join_reply(again)->answer.value();
  const auto& followed = world.join_reply(second)->answer.value();
  CHECK(led.generation == 2);
  CHECK(led.leader == first);
  CHECK(led.members.size() == 2);
  CHECK(followed.leader == first);
  CHECK(followed.members.empty());

  // The follower waits for the leader's assignment.
  const Token waiting = world.sync({member(followed.member_id, 2), {}, {}, {}});
  CHECK(world.sync_reply(waiting) == nullptr);
  world.sync(assigning(first, 2, {first, followed.member_id}));
  CHECK(world.sync_reply(waiting)->answer.value().assignment == owned(followed.member_id));
}

TEST_CASE("An assignment is told only when it is durable", "[group]") {
  GroupWorld world;
  world.holds_writes = true;
  const std::string id = world.join_reply(world.join(joining()))->answer.value().member_id;
  const Token token = world.sync(assigning(id, 1, {id}));
  REQUIRE(world.held.size() == 1);
  CHECK(world.sync_reply(token) == nullptr);

  SECTION("it is") {
    world.end_writes();
    CHECK(world.sync_reply(token)->answer);
    CHECK(state_of(world) == GroupState::stable);
  }
  SECTION("it cannot be written") {
    world.end_writes(millrace::Error(Errc::no_space, "the disk is full"));
    CHECK(code_of(world.sync_reply(token)) == Errc::no_space);
    CHECK(state_of(world) == GroupState::preparing_rebalance);
    world.join(joining(id));
    CHECK(state_of(world) == GroupState::completing_rebalance);
    CHECK(world->group("g")->generation() == 2);
  }
  SECTION("a rebalance has begun since") {
    world.join(joining());
    CHECK(code_of(world.sync_reply(token)) == Errc::rebalance_in_progress);
    world.end_writes();
    CHECK(state_of(world) == GroupState::preparing_rebalance);
  }
}

TEST_CASE("Members that do not join again in time are left out", "[group]") {
  GroupWorld world;
  const auto [leader, follower] = two_members(world);
  auto patient = joining();
  patient.session_timeout = milliseconds(100'000);
  const Token third = world.join(patient);
  for (int i = 0; i < 7; ++i) {
    world.pass(milliseconds(9'000));
    static_cast<void>(world->heartbeat(member(leader, 2), world.now()));
    static_cast<void>(world->heartbeat(member(follower, 2), world.now()));
  }
  REQUIRE(world.join_reply(third) != nullptr);
  CHECK(world.join_reply(third)->answer.value().members.size() == 1);
  CHECK(world->heartbeat(member(leader, 2), world.now()).error().code() == Errc::unknown_member);
}

TEST_CASE("A member that is not heard of for its session timeout is removed", "[group]") {
  GroupWorld world;
  const auto [leader, follower] = two_members(world);
  world.pass(milliseconds(9'999));
  CHECK(world->heartbeat(member(follower, 2), world.now()));
  CHECK(state_of(world) == GroupState::stable);
  world.pass(milliseconds(1));
  CHECK(state_of(world) == GroupState::preparing_rebalance);
  const Token token = world.join(joining(follower));
  CHECK(world.join_reply(token)->answer.value().leader == follower);
  CHECK(world.join_reply(token)->answer.value().generation == 3);
}

TEST_CASE("A member that leaves is missed at once", "[group]") {
  GroupWorld world;
  const auto [leader, follower] = two_members(world);
  REQUIRE(world.leave({leader, {}}));
  CHECK(world->heartbeat(member(follower, 2), world.now()).error().code() ==
        Errc::rebalance_in_progress);
  CHECK(world.join_reply(world.join(joining(follower)))->answer);
  CHECK(world.leave({leader, {}}).error().code() == Errc::unknown_member);
  REQUIRE(world.leave({follower, {}}));
  CHECK(state_of(world) == GroupState::empty);
}

TEST_CASE("Who joins again with nothing new disturbs nobody", "[group]") {
  GroupWorld world;
  const auto [leader, follower] = two_members(world);
  SECTION("a follower") {
    const auto* reply = world.join_reply(world.join(joining(follower)));
    REQUIRE(reply != nullptr);
    CHECK(reply->answer.value().generation == 2);
    CHECK(state_of(world) == GroupState::stable);
  }
  SECTION("a follower with another subscription") {
    CHECK(world.join_reply(world.join(joining(follower, "more"))) == nullptr);
    CHECK(state_of(world) == GroupState::preparing_rebalance);
  }
  SECTION("the leader") {
    CHECK(world.join_reply(world.join(joining(leader))) == nullptr);
    CHECK(state_of(world) == GroupState::preparing_rebalance);
  }
}

TEST_CASE("Heartbeats say what has become of a member", "[group]") {
  GroupWorld world;
  const auto [leader, follower] = two_members(world);
  CHECK(world->heartbeat(member(follower, 1), world.now()).error().code() ==
        Errc::illegal_generation);
  CHECK(world->heartbeat(member("nobody", 2), world.now()).error().code() == Errc::unknown_member);
  const auto error = world->heartbeat({"other", {"nobody", {}}, 1}, world.now()).error();
  CHECK(error.code() == Errc::unknown_member);
  CHECK(error.message() == "group other: there is no such group (any more); join again");
}

TEST_CASE("A client may be made to come back with the id that it is given", "[group]") {
  GroupWorld world;
  auto request = joining();
  request.requires_member_id = true;
  const auto* refused = world.join_reply(world.join(request));
  CHECK(code_of(refused) == Errc::member_id_required);
  REQUIRE_FALSE(refused->member_id.empty());

  SECTION("it does") {
    request.member.member_id = refused->member_id;
    CHECK(world.join_reply(world.join(request))->answer.value().member_id ==
          request.member.member_id);
  }
  SECTION("it does not, and others wait for it no longer than its session") {
    const std::string pending = refused->member_id;
    const Token other = world.join(joining());
    CHECK(world.join_reply(other) == nullptr);
    world.pass(milliseconds(10'000));
    CHECK(world.join_reply(other)->answer);
    CHECK(code_of(world.join_reply(world.join(joining(pending)))) == Errc::unknown_member);
  }
}

TEST_CASE("Members agree on a protocol", "[group]") {
  GroupWorld world;
  auto first = joining();
  first.protocols = {{"sticky", owned("1")}, {"range", owned("1")}};
  const std::string leader = lone_member(world, first);
  CHECK(world->group("g")->protocol() == "sticky");

  auto second = joining();
  SECTION("one that all have") {
    world.join(second);
    first.member.member_id = leader;
    CHECK(world.join_reply(world.join(first))->answer.value().protocol == "range");
  }
  SECTION("or do not get in") {
    second.protocols = {{"other", owned("2")}};
    CHECK(code_of(world.join_reply(world.join(second))) == Errc::inconsistent_protocol);
    second.protocols.clear();
    CHECK(code_of(world.join_reply(world.join(second))) == Errc::inconsistent_protocol);
    second = joining();
    second.protocol_type = "connect";
    CHECK(code_of(world.join_reply(world.join(second))) == Errc::inconsistent_protocol);
    CHECK(state_of(world) == GroupState::stable);
  }
}

TEST_CASE("A static member comes back without a rebalance, and fences who it was", "[group]") {
  GroupWorld world;
  auto request = joining();
  request.member.instance_id = "i";
  const std::string before = lone_member(world, request);
  world.pass(milliseconds(5'000));
  request.knows_skip_assignment = true;
  const auto* back = world.join_reply(world.join(request));
  REQUIRE(back != nullptr);
  const auto& answer = back->answer.value();
  CHECK(answer.generation == 1);
  CHECK(answer.member_id != before);
  CHECK(answer.leader == answer.member_id);
  CHECK(answer.skip_assignment);
  const auto synced = world.sync_reply(world.sync({{"g", {answer.member_id, "i"}, 1}, {}, {}, {}}));
  CHECK(synced->answer.value().assignment == owned(before));
  CHECK(world->heartbeat({"g", {before, "i"}, 1}, world.now()).error().code() ==
        Errc::fenced_instance);
  CHECK(world->heartbeat({"g", {answer.member_id, "i"}, 1}, world.now()));
  world.pass(milliseconds(10'000));
  CHECK(state_of(world) == GroupState::empty);  // its session can end like any other's
}

TEST_CASE("Members that join but do not sync are removed", "[group]") {
  GroupWorld world;
  auto request = joining();
  request.session_timeout = milliseconds(600'000);
  const Token token = world.join(request);
  REQUIRE(world.join_reply(token)->answer);
  world.pass(milliseconds(59'999));
  CHECK(state_of(world) == GroupState::completing_rebalance);
  world.pass(milliseconds(1));
  CHECK(state_of(world) == GroupState::empty);
}

TEST_CASE("A new group may wait for more members to come", "[group]") {
  coordinator::GroupCoordinatorOptions options;
  options.group.initial_rebalance_delay = milliseconds(3'000);
  GroupWorld world(options);
  const Token first = world.join(joining());
  world.pass(milliseconds(2'000));
  const Token second = world.join(joining());
  world.pass(milliseconds(2'999));
  CHECK(world.join_reply(first) == nullptr);
  world.pass(milliseconds(1));
  CHECK(world.join_reply(first)->answer.value().generation == 1);
  CHECK(world.join_reply(second)->answer.value().generation == 1);
}

TEST_CASE("Joins outside the limits are refused", "[group]") {
  coordinator::GroupCoordinatorOptions options;
  options.group.max_size = 1;
  options.group.min_session_timeout = milliseconds(6'000);
  GroupWorld world(options);
  auto request = joining();
  request.session_timeout = milliseconds(5'999);
  const auto* reply = world.join_reply(world.join(request));
  CHECK(code_of(reply) == Errc::invalid_argument);
  CHECK(reply->answer.error().message() ==
        "group g: a session timeout of 5999 ms is not within 6000 ms to 1800000 ms");
  request = joining();
  request.group.clear();
  CHECK(code_of(world.join_reply(world.join(request))) == Errc::invalid_argument);
  lone_member(world);
  CHECK(code_of(world.join_reply(world.join(joining()))) == Errc::group_full);
}
