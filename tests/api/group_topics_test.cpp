#include <millrace/engine/broker_core.hpp>
#include <millrace/millrace.hpp>
#include <set>
#include <thread>

#include "catch.hpp"
#include "group_fixture.hpp"
#include "temp_directory.hpp"

using namespace millrace;
using namespace std::chrono_literals;
using namespace millrace_test;

namespace {

Topic<std::string, std::string> fill(const Broker& broker, const std::string& name, int records) {
  auto topic = broker.topic<std::string, std::string>(name).value();
  const auto partition = topic.partition(0).value();
  for (int i = 0; i < records; ++i) partition.append("k", name + std::to_string(i)).value();
  return topic;
}

}  // namespace

TEST_CASE("A group reads several topics, and records know which", "[group_topics]") {
  const auto broker = Broker::open(":memory:").value();
  fill(broker, "orders", 2);
  fill(broker, "returns", 1);
  fill(broker, "other", 1);
  const TextGroup group{broker, Subscription::topics({"returns", "orders"}), "g"};
  auto a = group.join().value();
  auto b = group.join().value();
  std::multiset<std::string> seen;
  for (int i = 0; i < 20; ++i) {
    for (auto* const member : {&a, &b}) {
      const auto records = member->poll(0ms).value();
      for (const auto& record : records) {
        CHECK(record.value().starts_with(record.topic()));
        CHECK(record.topic_partition() == TopicPartition{record.topic(), record.partition()});
        seen.insert(record.value());
      }
    }
  }
  CHECK(seen == std::multiset<std::string>{"orders0", "orders1", "returns0"});
  CHECK(a.assignment().size() == 1);
  REQUIRE(a.commit());
  REQUIRE(b.commit());
  CHECK(a.committed({"orders", 0}).value()->offset == Offset{2});
  CHECK(b.committed({"returns", 0}).value()->offset == Offset{1});
}

TEST_CASE("Members of one group may subscribe to different topics", "[group_topics]") {
  const auto broker = Broker::open(":memory:").value();
  fill(broker, "t", 1);
  fill(broker, "u", 1);
  auto a = TextGroup{broker, Subscription::topics({"t"}), "g"}.join().value();
  auto b = TextGroup{broker, Subscription::topics({"t", "u"}), "g"}.join().value();
  CHECK(settle({&a, &b}) == std::multiset<std::string>{"t0", "u0"});
  CHECK(a.assignment() == std::vector<TopicPartition>{{"t", 0}});
  CHECK(b.assignment() == std::vector<TopicPartition>{{"u", 0}});
}

TEST_CASE("A topic that is subscribed to is read once it exists", "[group_topics]") {
  const auto broker = Broker::open(":memory:").value();
  auto member = TextGroup{broker, Subscription::topics({"later"}), "g"}.join().value();
  CHECK(settle({&member}).empty());
  CHECK(member.assignment().empty());
  fill(broker, "later", 2);
  CHECK(settle({&member}) == std::multiset<std::string>{"later0", "later1"});
}

TEST_CASE("A pattern finds the topics that match, now and later", "[group_topics]") {
  const auto broker = Broker::open(":memory:").value();
  fill(broker, "orders-eu", 1);
  fill(broker, "orders", 1);
  fill(broker, "my-orders-eu", 1);
  auto member = TextGroup{broker, Subscription::pattern("orders-.*"), "g"}.join().value();
  CHECK(settle({&member}) == std::multiset<std::string>{"orders-eu0"});
  fill(broker, "orders-us", 1);
  CHECK(settle({&member}) == std::multiset<std::string>{"orders-us0"});
  REQUIRE(broker.delete_topic("orders-eu"));
  settle({&member});
  CHECK(member.assignment() == std::vector<TopicPartition>{{"orders-us", 0}});
  // Everything, but not what the coordinators keep for themselves.
  auto all = TextGroup{broker, Subscription::pattern(".*"), "all"}.join().value();
  CHECK(settle({&all}) == std::multiset<std::string>{"orders0", "my-orders-eu0", "orders-us0"});
}

TEST_CASE("A member that waits hears of a new topic at once", "[group_topics]") {
  const auto broker = Broker::open(":memory:").value();
  auto member = TextGroup{broker, Subscription::pattern("t.*"), "g"}.join().value();
  settle({&member});
  std::thread makes([&] { fill(broker, "t1", 1); });
  std::multiset<std::string> seen;
  while (seen.empty()) seen.merge(read(member, 1h));
  makes.join();
  CHECK(seen == std::multiset<std::string>{"t10"});
}

TEST_CASE("A topic that is deleted is lost, and one made anew is read from its start",
          "[group_topics]") {
  const auto broker = Broker::open(":memory:").value();
  fill(broker, "t", 3);
  std::vector<std::string> heard;
  GroupOptions options;
  options.listener.lost = [&](const auto& gone) {
    for (const auto& partition : gone) heard.push_back("lost " + partition.topic);
  };
  options.listener.revoked = [&](const auto&) { heard.push_back("revoked"); };
  auto member = TextGroup{broker, Subscription::topics({"t"}), "g", options}.join().value();
  CHECK(settle({&member}).size() == 3);
  REQUIRE(broker.delete_topic("t"));
  SECTION("made anew later") {
    settle({&member});
    CHECK(member.assignment().empty());
    REQUIRE(member.commit());
    CHECK(member.commit({"t", 0}, Offset{3}).error().code() == Errc::unknown_topic);
    fill(broker, "t", 4);
  }
  SECTION("made anew before the member hears of it") {
    fill(broker, "t", 4);
    REQUIRE(member.commit());  // what it read was of the old one
    CHECK_FALSE(member.committed({"t", 0}).value());
  }
  CHECK(settle({&member}).size() == 4);
  CHECK(heard == std::vector<std::string>{"lost t"});
}

TEST_CASE("A topic that went in a crash takes its committed offsets along", "[group_topics]") {
  const test::TempDirectory directory;
  {
    const auto broker = Broker::open(directory.path()).value();
    const TextGroup group{fill(broker, "t", 3), "g"};
    auto member = group.join().value();
    CHECK(settle({&member}).size() == 3);
    REQUIRE(member.leave());
    // Deleted, but the process ends before the groups hear of it.
    REQUIRE(broker.core()->delete_topic("t"));
    REQUIRE(broker.close());
  }
  const auto broker = Broker::open(directory.path()).value();
  SECTION("made anew before groups are used") {}
  SECTION("groups are used before it is made anew") {
    fill(broker, "u", 0);
    auto other = TextGroup{broker, Subscription::topics({"u"}), "other"}.join().value();
    REQUIRE(broker.core()->create_topic("t", 1, {}));
  }
  const TextGroup group{fill(broker, "t", 4), "g"};
  auto member = group.join().value();
  CHECK(settle({&member}).size() == 4);
}

TEST_CASE("Subscribing in a way that cannot be says what to do", "[group_topics]") {
  const auto broker = Broker::open(":memory:").value();
  const auto join = [&](Subscription to) {
    return TextGroup{broker, std::move(to), "g"}.join().error();
  };
  CHECK(join(Subscription::pattern("orders-("))
            .message()
            .starts_with("subscribing to topics that match \"orders-(\": it is not an extended "
                         "regular expression"));
  CHECK(join(Subscription::topics({})).message() ==
        "a member of a group has no topics to read; name at least one, or a pattern");
  CHECK(join(Subscription::topics({"a b"})).code() == Errc::invalid_topic);
  CHECK(TextGroup(broker, Subscription::topics({"a", "b"}), "").join().error().message() ==
        "joining a group of topics a, b: a group's id must not be empty; give the group a name");
}
