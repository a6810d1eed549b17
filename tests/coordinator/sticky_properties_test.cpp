// What the sticky assignors promise, for groups made at random.
#include <algorithm>
#include <functional>
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
  for_campaign_groups(48611, limits, check);
}

GroupAssignment assign_sticky(const RandomGroup& group) {
  return sticky_assignor().assign(group.members, group.counts);
}

/// Who may keep what: the claims of those that subscribe and have no rival of the same or a higher
/// generation. Found by looking at every pair.
std::map<TopicPartition, std::string> owners_of(const RandomGroup& group) {
  std::map<TopicPartition, std::string> owners;
  for (const auto& member : group.members) {
    for (const auto& each : member.owned_partitions) {
      const auto count = group.counts.find(each.topic);
      const bool exists = count != group.counts.end() && each.partition < count->second;
      const bool beaten = std::any_of(
          group.members.begin(), group.members.end(), [&](const MemberSubscription& rival) {
            const auto& owned = rival.owned_partitions;
            return rival.member_id != member.member_id &&
                   rival.generation_id.value_or(-1) >= member.generation_id.value_or(-1) &&
                   std::find(owned.begin(), owned.end(), each) != owned.end();
          });
      if (exists && !beaten && subscribes(member, each.topic)) owners[each] = member.member_id;
    }
  }
  return owners;
}

std::size_t moved(const std::map<TopicPartition, std::string>& owners,
                  const GroupAssignment& assignment) {
  std::size_t kept = 0;
  for (const auto& [member, partitions] : assignment) {
    for (const auto& each : partitions) {
      const auto owner = owners.find(each);
      if (owner != owners.end() && owner->second == member) ++kept;
    }
  }
  return owners.size() - kept;
}

/// If all subscribe to the same: whatever an owner has above its share has to move, and the larger
/// shares save one each.
std::size_t least_moves(const RandomGroup& group,
                        const std::map<TopicPartition, std::string>& owners) {
  std::map<std::string, std::size_t> owned;
  for (const auto& [partition, member] : owners) ++owned[member];
  std::size_t total = 0;
  for (const auto& topic : group.members.front().topics)
    if (group.counts.count(topic) != 0) total += static_cast<std::size_t>(group.counts.at(topic));
  const std::size_t share = total / group.members.size();
  std::size_t above = 0;
  std::size_t owners_above = 0;
  for (const auto& [member, count] : owned) {
    if (count <= share) continue;
    above += count - share;
    ++owners_above;
  }
  return above - std::min(owners_above, total % group.members.size());
}

std::size_t sum_of_squares(const GroupAssignment& assignment) {
  std::size_t sum = 0;
  for (const auto& [member, partitions] : assignment) sum += partitions.size() * partitions.size();
  return sum;
}

struct Best {
  std::size_t sum = SIZE_MAX;
  std::size_t moves = SIZE_MAX;
};

/// Tries every assignment there is.
Best best_of_all(const RandomGroup& group) {
  const auto owners = owners_of(group);
  std::vector<TopicPartition> partitions;
  for (const auto& [topic, count] : group.counts)
    for (int i = 0; i < count; ++i)
      if (std::any_of(group.members.begin(), group.members.end(),
                      [&, &name = topic](const auto& each) { return subscribes(each, name); }))
        partitions.push_back({topic, i});
  std::vector<std::size_t> loads(group.members.size());
  Best best;
  const std::function<void(std::size_t, std::size_t)> place = [&](std::size_t at,
                                                                  std::size_t moves) {
    if (at == partitions.size()) {
      std::size_t sum = 0;
      for (const std::size_t load : loads) sum += load * load;
      if (sum < best.sum) best = {sum, moves};
      if (sum == best.sum) best.moves = std::min(best.moves, moves);
      return;
    }
    const auto owner = owners.find(partitions[at]);
    for (std::size_t i = 0; i < loads.size(); ++i) {
      const auto& member = group.members[i];
      if (!subscribes(member, partitions[at].topic)) continue;
      ++loads[i];
      place(at + 1, moves + (owner != owners.end() && owner->second != member.member_id ? 1 : 0));
      --loads[i];
    }
  };
  place(0, 0);
  return best;
}

/// Each member keeps its number of partitions of each topic, but which ones is drawn anew.
void shuffle_within_topics(GroupAssignment& assignment, Random& random) {
  std::map<std::string, std::vector<TopicPartition*>> by_topic;
  for (auto& [member, partitions] : assignment)
    for (auto& each : partitions) by_topic[each.topic].push_back(&each);
  for (auto& [topic, places] : by_topic) {
    for (std::size_t i = places.size(); i > 1; --i) {
      const int other = draw(random, 0, static_cast<int>(i) - 1);
      std::swap(*places[i - 1], *places[static_cast<std::size_t>(other)]);
    }
  }
}

/// A member that could take a partition from one that has two or more above it; empty if there is
/// none.
std::string unfairness(const RandomGroup& group, const GroupAssignment& assignment) {
  for (const auto& [member, partitions] : assignment) {
    for (const auto& each : partitions) {
      for (const auto& other : group.members) {
        if (subscribes(other, each.topic) &&
            assignment.at(other.member_id).size() + 2 <= partitions.size())
          return other.member_id + " could take" + to_text({each}) + " from " + member;
      }
    }
  }
  return {};
}

}  // namespace

TEST_CASE("nobody could take a partition from one with two more", "[coordinator][property]") {
  for_groups(any_group, [](Random&, const RandomGroup& group) {
    const auto assignment = assign_sticky(group);
    INFO(to_text(assignment));
    CHECK(unfairness(group, assignment) == "");
  });
}

TEST_CASE("if nothing has changed nothing moves", "[coordinator][property]") {
  for (const auto& limits : {any_group, uniform_group}) {
    for_groups(limits, [](Random&, RandomGroup& group) {
      const auto before = assign_sticky(group);
      take_over(group, before, 7);
      CHECK(assign_sticky(group) == before);
      CHECK(cooperative_sticky_assignor().assign(group.members, group.counts) == before);
    });
  }
}

TEST_CASE("if all is as even as can be nothing moves, whoever owns what",
          "[coordinator][property]") {
  for (const auto& limits : {any_group, uniform_group}) {
    for_groups(limits, [](Random& random, RandomGroup& group) {
      GroupAssignment before = assign_sticky(group);
      shuffle_within_topics(before, random);
      take_over(group, before, 7);
      const auto owners = owners_of(group);
      CHECK(moved(owners, assign_sticky(group)) == 0);
    });
  }
}

TEST_CASE("with the same topics for all, as little moves as can", "[coordinator][property]") {
  for_groups(uniform_group, [](Random&, const RandomGroup& group) {
    const auto owners = owners_of(group);
    const auto assignment = assign_sticky(group);
    INFO(to_text(assignment));
    CHECK(moved(owners, assignment) == least_moves(group, owners));
  });
}

TEST_CASE("when a member leaves only what it had goes to others", "[coordinator][property]") {
  for_groups(uniform_group, [](Random& random, RandomGroup& group) {
    take_over(group, assign_sticky(group), 7);
    if (group.members.size() == 1) return;
    const int leaver = draw(random, 0, static_cast<int>(group.members.size()) - 1);
    group.members.erase(group.members.begin() + leaver);
    CHECK(moved(owners_of(group), assign_sticky(group)) == 0);
  });
}

TEST_CASE("when a member joins only what it gets moves", "[coordinator][property]") {
  for_groups(uniform_group, [](Random&, RandomGroup& group) {
    take_over(group, assign_sticky(group), 7);
    group.members.push_back({"joined", std::nullopt, group.members.front().topics, {}, {}});
    const auto owners = owners_of(group);
    const auto assignment = assign_sticky(group);
    CHECK(moved(owners, assignment) == assignment.at("joined").size());
    CHECK(moved(owners, assignment) == owners.size() / group.members.size());
  });
}

TEST_CASE("no assignment is more even, and none moves less with the same topics for all",
          "[coordinator][property]") {
  const RandomGroupLimits tiny{.members = 4, .topics = 4, .partitions = 2};
  RandomGroupLimits tiny_uniform = tiny;
  tiny_uniform.uniform = true;
  for (const auto& limits : {tiny, tiny_uniform}) {
    for_groups(limits, [&](Random&, const RandomGroup& group) {
      const Best best = best_of_all(group);
      const auto assignment = assign_sticky(group);
      INFO(to_text(assignment));
      CHECK(sum_of_squares(assignment) == best.sum);
      if (limits.uniform) CHECK(moved(owners_of(group), assignment) == best.moves);
    });
  }
}

TEST_CASE("large groups end too", "[coordinator][property]") {
  RandomGroupLimits large{.members = 150, .topics = 40, .partitions = 60};
  const auto seed = millrace_test::campaign_seed(48611);
  const auto rounds = millrace_test::campaign_rounds(5, 500);
  for (const bool uniform : {false, true}) {
    large.uniform = uniform;
    for_random_groups(seed, rounds, large, [&](Random&, RandomGroup& group) {
      const auto assignment = assign_sticky(group);
      CHECK(unfairness(group, assignment) == "");
      take_over(group, assignment, 7);
      CHECK(assign_sticky(group) == assignment);
    });
  }
}
