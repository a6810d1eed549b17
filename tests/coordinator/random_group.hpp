#pragma once
#include <algorithm>
#include <millrace/coordinator/assignor.hpp>
#include <ostream>
#include <random>
#include <string>

#include "campaign.hpp"
#include "catch.hpp"

namespace millrace::test {

/// Members and topics as a seed makes them.
struct RandomGroup {
  std::vector<coordinator::MemberSubscription> members;
  coordinator::PartitionCounts counts;
};

struct RandomGroupLimits {
  int members = 8;
  int topics = 5;
  int partitions = 9;    // of one topic
  bool uniform = false;  // all members subscribe to all topics
};

using Random = std::mt19937_64;

inline int draw(Random& random, int least, int most) {
  return std::uniform_int_distribution<int>(least, most)(random);
}

inline bool one_in(Random& random, int n) {
  return draw(random, 1, n) == 1;
}

/// Whom a partition may be claimed by: mostly by one member or nobody, seldom by two, sometimes by
/// one that does not subscribe; also partitions and topics that are not there.
inline void add_claims(RandomGroup& group, Random& random) {
  const auto last = static_cast<int>(group.members.size()) - 1;
  const int unowned_in_four = draw(random, 0, 4);
  for (const auto& [topic, count] : group.counts) {
    for (int partition = 0; partition <= count; ++partition) {
      if (draw(random, 1, 4) <= unowned_in_four) continue;
      for (int claims = one_in(random, 8) ? 2 : 1; claims > 0; --claims)
        group.members[static_cast<std::size_t>(draw(random, 0, last))].owned_partitions.push_back(
            {topic, partition});
    }
  }
  if (one_in(random, 4)) group.members.front().owned_partitions.push_back({"gone", 0});
}

inline RandomGroup random_group(Random& random, const RandomGroupLimits& limits) {
  RandomGroup group;
  const int topics = draw(random, 1, limits.topics);
  std::vector<std::string> names;
  for (int i = 0; i < topics; ++i) {
    names.push_back("t" + std::to_string(i));
    if (!one_in(random, 20)) group.counts[names.back()] = draw(random, 0, limits.partitions);
  }
  const int members = draw(random, 1, limits.members);
  const int generation = draw(random, 1, 3);
  for (int i = 0; i < members; ++i) {
    coordinator::MemberSubscription member;
    member.member_id = "m" + std::to_string(draw(random, 0, 9)) + "-" + std::to_string(i);
    if (one_in(random, 4)) member.instance_id = "i" + std::to_string(members - i);
    for (const std::string& name : names) {
      if (limits.uniform || one_in(random, 2)) member.topics.push_back(name);
    }
    std::shuffle(member.topics.begin(), member.topics.end(), random);
    if (!one_in(random, 8)) member.generation_id = one_in(random, 5) ? generation - 1 : generation;
    group.members.push_back(std::move(member));
  }
  if (!one_in(random, 4)) add_claims(group, random);
  return group;
}

inline std::string to_text(const std::vector<coordinator::TopicPartition>& partitions) {
  std::string text;
  for (const auto& each : partitions)
    text += " " + each.topic + "-" + std::to_string(each.partition);
  return text;
}

inline std::ostream& operator<<(std::ostream& out, const RandomGroup& group) {
  for (const auto& [topic, count] : group.counts) out << topic << " has " << count << "\n";
  for (const auto& member : group.members) {
    out << member.member_id << " (" << member.instance_id.value_or("") << ") subscribes to";
    for (const auto& topic : member.topics) out << " " << topic;
    out << ", owns" << to_text(member.owned_partitions) << " since "
        << member.generation_id.value_or(-1) << "\n";
  }
  return out;
}

inline std::string to_text(const coordinator::GroupAssignment& assignment) {
  std::string text;
  for (const auto& [member, partitions] : assignment)
    text += member + ":" + to_text(partitions) + "\n";
  return text;
}

inline bool subscribes(const coordinator::MemberSubscription& member, const std::string& topic) {
  return std::find(member.topics.begin(), member.topics.end(), topic) != member.topics.end();
}

/// Lets each member own exactly what it is assigned, as of the next generation.
inline void take_over(RandomGroup& group, const coordinator::GroupAssignment& assignment,
                      std::int32_t generation) {
  for (auto& member : group.members) {
    member.owned_partitions = assignment.at(member.member_id);
    member.generation_id = generation;
  }
}

/// Runs `check(random, group)` for groups made from the seeds of a campaign.
template <typename Check>
void for_random_groups(std::uint64_t seed, std::uint64_t rounds, const RandomGroupLimits& limits,
                       Check check) {
  for (std::uint64_t round = 0; round < rounds; ++round) {
    Random random(seed + round);
    RandomGroup group = random_group(random, limits);
    INFO("MILLRACE_SEED=" << seed + round << " makes this group the first one:\n" << group);
    check(random, group);
  }
}

inline constexpr RandomGroupLimits any_group{};
inline constexpr RandomGroupLimits uniform_group{.uniform = true};

/// The same for 10,000 groups, or 1,000,000 in a long run, from MILLRACE_SEED or `fallback_seed`.
template <typename Check>
void for_campaign_groups(std::uint64_t fallback_seed, const RandomGroupLimits& limits,
                         Check check) {
  for_random_groups(millrace_test::campaign_seed(fallback_seed),
                    millrace_test::campaign_rounds(10'000, 1'000'000), limits, check);
}

}  // namespace millrace::test
