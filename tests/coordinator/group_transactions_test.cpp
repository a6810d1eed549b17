#include "group_fixture.hpp"

using namespace millrace_test;
using millrace::Offset;

namespace {

using Groups = std::vector<std::string>;

coordinator::CommitRequest commit_of(const std::string& group, const std::string& topic,
                                     std::int64_t offset, millrace::Timestamp time) {
  return {{group, {}, -1},
          {{{topic, 0}, {Offset{offset}, millrace::LeaderEpoch{0}, {}, time, {}}}}};
}

/// Commits of two producers, to groups of which half are in another partition of the topic.
class TransactionWorld : public GroupWorld {
 public:
  void send(const std::string& group, const std::string& topic, std::int64_t offset,
            std::int64_t producer = 7) {
    const Token token =
        commit_in_transaction(commit_of(group, topic, offset, now().wall), producer);
    REQUIRE(commit_reply(token)->answer);
  }
  Groups end(bool is_commit, std::int64_t producer = 7, std::string_view prefix = {}) {
    return (*this)->end_transaction(
        producer, is_commit, [&](std::string_view group) { return group.starts_with(prefix); });
  }
  std::optional<std::int64_t> committed(std::string_view group, std::string_view topic = "t") {
    const auto* found = (*this)->committed(group, topic, 0);
    return found ? std::optional(found->offset.value()) : std::nullopt;
  }
  bool is_pending(std::string_view group, const std::string& topic = "t") {
    return (*this)->has_pending(group, {topic, 0});
  }
};

}  // namespace

TEST_CASE("A marker ends what its producer has in the groups of its partition",
          "[group_transactions]") {
  TransactionWorld world;
  const bool restarts = GENERATE(false, true);
  for (const char* group : {"a1", "a2", "b1"}) world.send(group, "t", 5);
  world.send("a1", "t", 9, 8);
  if (restarts) world.restart();
  CHECK(world.end(true, 6).empty());
  CHECK(world.end(true, 7, "a") == Groups{"a1", "a2"});
  CHECK(world.committed("a1") == 5);
  CHECK(world.committed("a2") == 5);
  CHECK(world.is_pending("a1"));
  CHECK_FALSE(world.is_pending("a2"));
  CHECK_FALSE(world.committed("b1"));
  CHECK(world.end(true, 7, "a").empty());
  CHECK(world.end(false) == Groups{"b1"});
  CHECK_FALSE(world.committed("b1"));
  CHECK_FALSE(world.is_pending("b1"));
  CHECK(world.end(true, 8) == Groups{"a1"});
  CHECK(world.committed("a1") == 9);
  CHECK(world.end(true, 8).empty());
}

TEST_CASE("A producer's next transaction waits for its own marker", "[group_transactions]") {
  TransactionWorld world;
  world.send("g", "t", 5);
  CHECK(world.end(true) == Groups{"g"});
  world.send("g", "t", 6);
  CHECK(world.committed("g") == 5);
  CHECK(world.end(true) == Groups{"g"});
  CHECK(world.committed("g") == 6);
}

TEST_CASE("Offsets that a transaction is to commit do not expire", "[group_transactions]") {
  constexpr milliseconds week = std::chrono::hours(24 * 7);
  TransactionWorld world;
  REQUIRE(world.commit_reply(world.commit(commit_of("g", "t", 3, world.now().wall)))->answer);
  REQUIRE(world.commit_reply(world.commit(commit_of("g", "u", 3, world.now().wall)))->answer);
  world.send("g", "t", 5);
  world.send("new", "t", 6);
  for (milliseconds passed(0); passed <= 2 * week; passed += std::chrono::hours(6)) {
    world.pass(std::chrono::hours(6));
  }
  CHECK_FALSE(world.committed("g", "u"));
  CHECK(world.committed("g") == 3);  // or a reader would begin elsewhere if it is aborted
  REQUIRE(world->group("new") != nullptr);
  CHECK(world.is_pending("new"));
  CHECK(world.end(true) == Groups{"g", "new"});
  CHECK(world.committed("g") == 5);
  CHECK(world.committed("new") == 6);
  world.pass(week);
  CHECK(world->groups().empty());
}

TEST_CASE("Offsets that a transaction is to commit go with their topic", "[group_transactions]") {
  TransactionWorld world;
  world.send("g", "t", 5);
  world.send("g", "u", 6);
  CHECK(world->topics() == std::set<std::string>{"t", "u"});
  REQUIRE(world.remove_topic("t")->answer);
  if (GENERATE(false, true)) world.restart();
  CHECK(world->topics() == std::set<std::string>{"u"});
  CHECK_FALSE(world.is_pending("g"));
  CHECK(world.is_pending("g", "u"));
  CHECK(world.end(true) == Groups{"g"});
  CHECK_FALSE(world.committed("g"));
  CHECK(world.committed("g", "u") == 6);
}
