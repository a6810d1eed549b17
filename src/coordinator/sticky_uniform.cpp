#include <algorithm>

#include "coordinator/sticky_plan.hpp"

namespace millrace::inline v0::coordinator {
namespace {

std::vector<std::size_t> owned_counts(const StickyPlan& plan) {
  std::vector<std::size_t> counts(plan.members.size());
  for (const auto& of_topic : plan.owners) {
    for (const std::size_t owner : of_topic) {
      if (owner != nobody) ++counts[owner];
    }
  }
  return counts;
}

/// How many partitions each member is to have. Whoever owns more than the smaller share gets the
/// larger one as long as there are any: each one given so is one partition that need not move.
std::vector<std::size_t> shares(const StickyPlan& plan) {
  const auto& takers = plan.topics.front().subscribers;
  std::size_t total = 0;
  for (const auto& of_topic : plan.owners) total += of_topic.size();
  const std::size_t smaller = total / takers.size();
  std::size_t larger_left = total % takers.size();

  const std::vector<std::size_t> owned = owned_counts(plan);
  std::vector<std::size_t> share(plan.members.size());
  for (const std::size_t member : takers) share[member] = smaller;
  for (const bool owns_more : {true, false}) {
    for (const std::size_t member : takers) {
      if (larger_left == 0 || (owned[member] > smaller) != owns_more) continue;
      ++share[member];
      --larger_left;
    }
  }
  return share;
}

}  // namespace

MembersByPartition assign_uniform(const StickyPlan& plan) {
  if (plan.topics.empty()) return {};
  std::vector<std::size_t> room = shares(plan);
  MembersByPartition takers = plan.owners;
  std::vector<std::size_t*> open;
  for (auto& of_topic : takers) {
    for (std::size_t& taker : of_topic) {
      if (taker != nobody && room[taker] > 0) {
        --room[taker];
      } else {
        open.push_back(&taker);
      }
    }
  }
  std::vector<std::size_t> unfilled = plan.topics.front().subscribers;
  for (auto next = open.begin(); next != open.end();) {
    std::erase_if(unfilled, [&](std::size_t member) { return room[member] == 0; });
    for (auto member = unfilled.begin(); member != unfilled.end() && next != open.end(); ++member) {
      **next++ = *member;
      --room[*member];
    }
  }
  return takers;
}

}  // namespace millrace::inline v0::coordinator
