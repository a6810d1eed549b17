// What every assignor promises, for groups made at random.
#include <algorithm>
#include <map>
#include <millrace/coordinator/assignor.hpp>
#include <set>

#include "campaign.hpp"
#include "catch.hpp"
#include "coordinator/random_group.hpp"

using namespace millrace;
using namespace millrace::coordinator;
using namespace millrace::test;

namespace {

template <typename Check>
void for_groups(const RandomGroupLimits& limits, Check check) {
  for_campaign_groups(20261, limits, check);
}

/// Why `assignment` is none for the group; empty if it is one. `complete` asks that nothing be
/// left.
std::string flaw(const RandomGroup& group, const GroupAssignment& assignment, bool complete) {
  std::set<TopicPartition> wanted;
  for (const auto& member : group.members) {
    if (assignment.count(member.member_id) == 0) return member.member_id + " has no entry";
    for (const auto& topic : member.topics) {
      const auto count = group.counts.find(topic);
      for (int i = 0; count != group.counts.end() && i < count->second; ++i)
        wanted.insert({topic, i});
    }
  }
  if (assignment.size() != group.members.size()) return "somebody who is no member has an entry";
  for (const auto& member : group.members) {
    for (const auto& each : assignment.at(member.member_id)) {
      if (!subscribes(member, each.topic))
        return member.member_id + " did not ask for " + each.topic;
      if (wanted.erase(each) == 0) return "given twice or not there:" + to_text({each});
    }
  }
  if (complete && !wanted.empty()) return "given to nobody:" + to_text({*wanted.begin()});
  return {};
}

std::pair<std::size_t, std::size_t> fewest_and_most(const GroupAssignment& assignment) {
  std::size_t fewest = SIZE_MAX;
  std::size_t most = 0;
  for (const auto& [member, partitions] : assignment) {
    fewest = std::min(fewest, partitions.size());
    most = std::max(most, partitions.size());
  }
  return {fewest, most};
}

bool kafka_less(const MemberSubscription* a, const MemberSubscription* b) {
  return std::tuple(!a->instance_id, a->instance_id.value_or(a->member_id)) <
         std::tuple(!b->instance_id, b->instance_id.value_or(b->member_id));
}

std::vector<const MemberSubscription*> sorted_members(const RandomGroup& group) {
  std::vector<const MemberSubscription*> sorted;
  for (const auto& member : group.members) sorted.push_back(&member);
  std::sort(sorted.begin(), sorted.end(), kafka_less);
  return sorted;
}

/// RangeAssignor as Kafka describes it, topic by topic and partition by partition.
GroupAssignment plain_range(const RandomGroup& group) {
  GroupAssignment assignment;
  for (const auto& member : group.members) assignment[member.member_id];
  for (const auto& [topic, count] : group.counts) {
    std::vector<const MemberSubscription*> takers;
    for (const auto* member : sorted_members(group))
      if (subscribes(*member, topic)) takers.push_back(member);
    const int n = static_cast<int>(takers.size());
    for (int i = 0; i < n; ++i) {
      const int start = count / n * i + std::min(i, count % n);
      const int length = count / n + (i + 1 > count % n ? 0 : 1);
      for (int partition = start; partition < start + length; ++partition)
        assignment[takers[static_cast<std::size_t>(i)]->member_id].push_back({topic, partition});
    }
  }
  return assignment;
}

/// RoundRobinAssignor: a ring of members is turned until one subscribes.
GroupAssignment plain_round_robin(const RandomGroup& group) {
  GroupAssignment assignment;
  const auto ring = sorted_members(group);
  for (const auto* member : ring) assignment[member->member_id];
  std::size_t at = 0;
  for (const auto& [topic, count] : group.counts) {
    if (std::none_of(ring.begin(), ring.end(),
                     [&, &name = topic](const auto* member) { return subscribes(*member, name); }))
      continue;
    for (int partition = 0; partition < count; ++partition) {
      while (!subscribes(*ring[at % ring.size()], topic)) ++at;
      assignment[ring[at++ % ring.size()]->member_id].push_back({topic, partition});
    }
  }
  return assignment;
}

}  // namespace

TEST_CASE("every partition goes once, and to a subscriber", "[coordinator][property]") {
  for (const auto& limits : {any_group, uniform_group}) {
    for_groups(limits, [](Random&, const RandomGroup& group) {
      for (const auto* assignor : {&range_assignor(), &round_robin_assignor(), &sticky_assignor(),
                                   &cooperative_sticky_assignor()}) {
        const auto assignment = assignor->assign(group.members, group.counts);
        INFO(assignor->name() << "\n" << to_text(assignment));
        CHECK(flaw(group, assignment, !assignor->is_cooperative()) == "");
      }
    });
  }
}

TEST_CASE("members with the same topics get the same number, or one less",
          "[coordinator][property]") {
  for_groups(uniform_group, [](Random&, const RandomGroup& group) {
    for (const auto* assignor : {&round_robin_assignor(), &sticky_assignor()}) {
      const auto assignment = assignor->assign(group.members, group.counts);
      INFO(assignor->name() << "\n" << to_text(assignment));
      const auto [fewest, most] = fewest_and_most(assignment);
      CHECK(most - fewest <= 1);
    }
  });
}

TEST_CASE("range and round robin are what Kafka describes", "[coordinator][property]") {
  for_groups(any_group, [](Random&, const RandomGroup& group) {
    CHECK(range_assignor().assign(group.members, group.counts) == plain_range(group));
    CHECK(round_robin_assignor().assign(group.members, group.counts) == plain_round_robin(group));
  });
}

TEST_CASE("the order in which things are listed does not matter", "[coordinator][property]") {
  for_groups(any_group, [](Random& random, const RandomGroup& group) {
    auto members = group.members;
    std::shuffle(members.begin(), members.end(), random);
    for (auto& member : members) {
      std::shuffle(member.topics.begin(), member.topics.end(), random);
      auto& owned = member.owned_partitions;
      std::shuffle(owned.begin(), owned.end(), random);
      if (!owned.empty()) owned.push_back(owned.front());
      if (!member.topics.empty()) member.topics.push_back(member.topics.front());
    }
    for (const auto* assignor : {&range_assignor(), &round_robin_assignor(), &sticky_assignor(),
                                 &cooperative_sticky_assignor()}) {
      INFO(assignor->name());
      CHECK(assignor->assign(members, group.counts) ==
            assignor->assign(group.members, group.counts));
    }
  });
}
