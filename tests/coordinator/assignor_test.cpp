#include <millrace/coordinator/assignor.hpp>
#include <set>

#include "catch.hpp"

using namespace millrace;
using namespace millrace::coordinator;

namespace {

using Partitions = std::vector<TopicPartition>;

MemberSubscription member(std::string id, std::vector<std::string> topics, Partitions owned = {}) {
  return {std::move(id), std::nullopt, std::move(topics), std::move(owned), 1};
}

MemberSubscription static_member(std::string id, std::string instance_id,
                                 std::vector<std::string> topics) {
  return {std::move(id), std::move(instance_id), std::move(topics), {}, {}};
}

/// "t0-1 t2-0" as partitions.
Partitions partitions(const std::string& text) {
  Partitions all;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find(' ', start), text.size());
    const std::size_t dash = text.rfind('-', end);
    all.push_back({text.substr(start, dash - start), std::stoi(text.substr(dash + 1, end))});
    start = end + 1;
  }
  return all;
}

std::set<TopicPartition> as_set(const Partitions& all) {
  return {all.begin(), all.end()};
}

bool keeps(const GroupAssignment& assignment, const MemberSubscription& member) {
  const auto now = as_set(assignment.at(member.member_id));
  return std::all_of(member.owned_partitions.begin(), member.owned_partitions.end(),
                     [&](const TopicPartition& each) { return now.count(each) == 1; });
}

}  // namespace

TEST_CASE("assignors are found by Kafka's names", "[coordinator]") {
  CHECK(find_assignor("range") == &range_assignor());
  CHECK(find_assignor("roundrobin") == &round_robin_assignor());
  CHECK(find_assignor("sticky") == &sticky_assignor());
  CHECK(find_assignor("cooperative-sticky") == &cooperative_sticky_assignor());
  CHECK(find_assignor("uniform") == nullptr);
  CHECK_FALSE(range_assignor().is_cooperative());
  CHECK_FALSE(round_robin_assignor().is_cooperative());
  CHECK_FALSE(sticky_assignor().is_cooperative());
  CHECK(cooperative_sticky_assignor().is_cooperative());
}

TEST_CASE("range gives neighbours of each topic to a member", "[coordinator]") {
  const std::vector members = {member("C0", {"t0", "t1"}), member("C1", {"t1", "t0"})};
  CHECK(
      range_assignor().assign(members, {{"t0", 3}, {"t1", 3}}) ==
      GroupAssignment{{"C0", partitions("t0-0 t0-1 t1-0 t1-1")}, {"C1", partitions("t0-2 t1-2")}});
  CHECK(range_assignor().assign(members, {{"t0", 1}, {"t1", 4}}) ==
        GroupAssignment{{"C0", partitions("t0-0 t1-0 t1-1")}, {"C1", partitions("t1-2 t1-3")}});
}

TEST_CASE("range looks at the subscribers of each topic alone", "[coordinator]") {
  const std::vector members = {member("C0", {"t0"}), member("C1", {"t0", "t1"}),
                               member("C2", {"t0"}), member("C3", std::vector<std::string>())};
  CHECK(range_assignor().assign(members, {{"t0", 3}, {"t1", 2}}) ==
        GroupAssignment{{"C0", partitions("t0-0")},
                        {"C1", partitions("t0-1 t1-0 t1-1")},
                        {"C2", partitions("t0-2")},
                        {"C3", {}}});
}

TEST_CASE("round robin deals all partitions in order", "[coordinator]") {
  const std::vector members = {member("C0", {"t0", "t1"}), member("C1", {"t0", "t1"})};
  CHECK(
      round_robin_assignor().assign(members, {{"t0", 3}, {"t1", 3}}) ==
      GroupAssignment{{"C0", partitions("t0-0 t0-2 t1-1")}, {"C1", partitions("t0-1 t1-0 t1-2")}});
}

TEST_CASE("round robin passes over members that do not subscribe", "[coordinator]") {
  const std::vector members = {member("C0", {"t0"}), member("C1", {"t0", "t1"}),
                               member("C2", {"t0", "t1", "t2"})};
  CHECK(round_robin_assignor().assign(members, {{"t0", 1}, {"t1", 2}, {"t2", 3}}) ==
        GroupAssignment{{"C0", partitions("t0-0")},
                        {"C1", partitions("t1-0")},
                        {"C2", partitions("t1-1 t2-0 t2-1 t2-2")}});
}

TEST_CASE("static members come first, by instance id", "[coordinator]") {
  const std::vector members = {member("A", {"t"}), static_member("Z", "i1", {"t"}),
                               static_member("B", "i2", {"t"}), member("C", {"t"})};
  const GroupAssignment expected{{"Z", partitions("t-0")},
                                 {"B", partitions("t-1")},
                                 {"A", partitions("t-2")},
                                 {"C", partitions("t-3")}};
  CHECK(range_assignor().assign(members, {{"t", 4}}) == expected);
  CHECK(round_robin_assignor().assign(members, {{"t", 4}}) == expected);
}

TEST_CASE("a static member that returns under another id gets the same", "[coordinator]") {
  std::vector members = {static_member("a", "i1", {"t"}), static_member("b", "i2", {"t"})};
  const auto before = range_assignor().assign(members, {{"t", 5}});
  members[0].member_id = std::string("z");
  const auto after = range_assignor().assign(members, {{"t", 5}});
  CHECK(after.at("z") == before.at("a"));
  CHECK(after.at("b") == before.at("b"));
}

TEST_CASE("members are ordered as Java orders texts", "[coordinator]") {
  // U+FF5E and U+1F600: by UTF-8 bytes the first is less, by UTF-16 units the second.
  const std::string tilde = "\xef\xbd\x9e";
  const std::string face = "\xf0\x9f\x98\x80";
  const std::vector members = {member(tilde, {"t"}), member(face, {"t"}), member("z", {"t"})};
  CHECK(range_assignor().assign(members, {{"t", 3}}) ==
        GroupAssignment{
            {"z", partitions("t-0")}, {face, partitions("t-1")}, {tilde, partitions("t-2")}});
}

TEST_CASE("what does not exist is not assigned, and what is repeated once", "[coordinator]") {
  const std::vector members = {member("C0", {"t", "t", "gone", "empty"}), member("C1", {"t"})};
  const PartitionCounts counts{{"t", 2}, {"empty", 0}, {"other", 3}};
  for (const char* name : {"range", "roundrobin", "sticky", "cooperative-sticky"}) {
    INFO(name);
    CHECK(find_assignor(name)->assign(members, counts) ==
          GroupAssignment{{"C0", partitions("t-0")}, {"C1", partitions("t-1")}});
    CHECK(find_assignor(name)->assign({}, counts).empty());
    CHECK(find_assignor(name)->assign(members, {}) == GroupAssignment{{"C0", {}}, {"C1", {}}});
  }
}

TEST_CASE("sticky deals in order at first and keeps when a member leaves", "[coordinator]") {
  const std::vector<std::string> topics = {"t0", "t1", "t2", "t3"};
  const PartitionCounts counts{{"t0", 2}, {"t1", 2}, {"t2", 2}, {"t3", 2}};
  std::vector members = {member("C0", topics), member("C1", topics), member("C2", topics)};
  const auto first = sticky_assignor().assign(members, counts);
  CHECK(first == GroupAssignment{{"C0", partitions("t0-0 t1-1 t3-0")},
                                 {"C1", partitions("t0-1 t2-0 t3-1")},
                                 {"C2", partitions("t1-0 t2-1")}});
  for (auto& each : members) each.owned_partitions = first.at(each.member_id);
  members.erase(members.begin() + 1);
  const auto second = sticky_assignor().assign(members, counts);
  for (const auto& each : members) {
    CHECK(keeps(second, each));
    CHECK(second.at(each.member_id).size() == 4);
  }
}

TEST_CASE("sticky keeps when a member with another subscription leaves", "[coordinator]") {
  const PartitionCounts counts{{"t0", 1}, {"t1", 2}, {"t2", 3}};
  std::vector members = {member("C0", {"t0"}), member("C1", {"t0", "t1"}),
                         member("C2", {"t0", "t1", "t2"})};
  const auto first = sticky_assignor().assign(members, counts);
  CHECK(first == GroupAssignment{{"C0", partitions("t0-0")},
                                 {"C1", partitions("t1-0 t1-1")},
                                 {"C2", partitions("t2-0 t2-1 t2-2")}});
  for (auto& each : members) each.owned_partitions = first.at(each.member_id);
  members.erase(members.begin());
  CHECK(
      sticky_assignor().assign(members, counts) ==
      GroupAssignment{{"C1", partitions("t0-0 t1-0 t1-1")}, {"C2", partitions("t2-0 t2-1 t2-2")}});
}

TEST_CASE("sticky moves no more than a new member needs", "[coordinator]") {
  std::vector members = {member("C0", {"t"}, partitions("t-0 t-1 t-2 t-3")),
                         member("C1", {"t"}, partitions("t-4 t-5 t-6")), member("C2", {"t"})};
  const auto after = sticky_assignor().assign(members, {{"t", 7}});
  CHECK(after == GroupAssignment{{"C0", partitions("t-0 t-1 t-2")},
                                 {"C1", partitions("t-4 t-5")},
                                 {"C2", partitions("t-3 t-6")}});
}

TEST_CASE("the larger shares go to those who own more", "[coordinator]") {
  const std::vector members = {member("C0", {"t"}), member("C1", {"t"}, partitions("t-2")),
                               member("C2", {"t"}, partitions("t-0 t-1 t-3"))};
  const auto after = sticky_assignor().assign(members, {{"t", 4}});
  CHECK(after == GroupAssignment{{"C0", partitions("t-3")},
                                 {"C1", partitions("t-2")},
                                 {"C2", partitions("t-0 t-1")}});
}

TEST_CASE("of two who claim a partition the higher generation owns it", "[coordinator]") {
  std::vector members = {member("C0", {"t"}, partitions("t-0 t-1")),
                         member("C1", {"t"}, partitions("t-0 t-1"))};
  members[1].generation_id = 2;
  members.push_back(member("C2", {"t"}, partitions("t-2 t-3")));
  auto after = sticky_assignor().assign(members, {{"t", 6}});
  CHECK(keeps(after, members[1]));
  CHECK(keeps(after, members[2]));
  std::swap(members[0].generation_id, members[1].generation_id);
  after = sticky_assignor().assign(members, {{"t", 6}});
  CHECK(keeps(after, members[0]));
  members[1].generation_id.reset();
  members[0].generation_id = 0;
  CHECK(keeps(sticky_assignor().assign(members, {{"t", 6}}), members[0]));
}

TEST_CASE("what is owned but cannot be is ignored", "[coordinator]") {
  const std::vector members = {member("C0", {"t"}, partitions("t-5 gone-0 u-0 t-1")),
                               member("C1", {"t", "u"})};
  auto owned = members;
  owned[0].owned_partitions.push_back({"t", -1});
  for (const char* name : {"range", "roundrobin", "sticky"}) {
    const auto after = find_assignor(name)->assign(owned, {{"t", 2}, {"u", 1}});
    CHECK(after.at("C0").size() + after.at("C1").size() == 3);
  }
  CHECK(sticky_assignor().assign(owned, {{"t", 2}, {"u", 1}}) ==
        GroupAssignment{{"C0", partitions("t-0 t-1")}, {"C1", partitions("u-0")}});
}

TEST_CASE("sticky hands partitions on through a member between", "[coordinator]") {
  // Only by way of B can A's surplus reach C.
  const std::vector members = {member("A", {"a", "b"}, partitions("a-0 a-1 b-0")),
                               member("B", {"b", "c"}, partitions("c-0 c-1")),
                               member("C", {"c"}, partitions("c-2"))};
  const auto after = sticky_assignor().assign(members, {{"a", 2}, {"b", 1}, {"c", 3}});
  CHECK(after.at("A").size() == 2);
  CHECK(after.at("B").size() == 2);
  CHECK(after.at("C").size() == 2);
}

TEST_CASE("of the heaviest, the one that is next to a lighter one gives", "[coordinator]") {
  // A could give too, but only by way of B: two moves instead of one.
  const std::vector members = {member("A", {"t", "u"}, partitions("t-0 u-0")),
                               member("B", {"t", "v"}, partitions("t-1 v-0")), member("C", {"v"})};
  CHECK(sticky_assignor().assign(members, {{"t", 2}, {"u", 1}, {"v", 1}}) ==
        GroupAssignment{
            {"A", partitions("t-0 u-0")}, {"B", partitions("t-1")}, {"C", partitions("v-0")}});
}

namespace {

class FirstTakesAll final : public Assignor {
 public:
  std::string_view name() const noexcept override { return "first-takes-all"; }
  bool is_cooperative() const noexcept override { return false; }
  GroupAssignment assign(std::span<const MemberSubscription> members,
                         const PartitionCounts& counts) const override {
    GroupAssignment assignment;
    for (const auto& each : members) assignment[each.member_id];
    for (const auto& [topic, count] : counts)
      for (PartitionId i = 0; i < count; ++i)
        assignment[members.front().member_id].push_back({topic, i});
    return assignment;
  }
};

}  // namespace

TEST_CASE("a user's assignor is one like the others", "[coordinator]") {
  const FirstTakesAll assignor;
  const Assignor& as_any = assignor;
  const std::vector members = {member("C0", {"t"}), member("C1", {"t"})};
  CHECK(as_any.assign(members, {{"t", 2}}) ==
        GroupAssignment{{"C0", partitions("t-0 t-1")}, {"C1", {}}});
}
