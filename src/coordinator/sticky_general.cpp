#include <algorithm>
#include <deque>
#include <numeric>
#include <queue>

#include "coordinator/sticky_plan.hpp"

namespace millrace::inline v0::coordinator {
namespace {

/// How many partitions of which topic each member has; which ones is left open until the end,
/// because one of a topic is as good as another.
///
/// An assignment is as even as can be (the least sum of squares) exactly if no chain of members, in
/// which each hands the next a partition of a topic that it may have, leads from one member to
/// another with two or more fewer. That is what level() looks for, and each chain found makes the
/// sum smaller: so it ends.
class Balance {
 public:
  explicit Balance(const StickyPlan& plan);

  /// Gives out what nobody owns, each to the least loaded who may have it, topics with few
  /// subscribers first.
  void place_free();

  enum class Movable { free_only, owned_too };
  /// Shifts partitions along chains until it is as even as can be with those that are movable.
  void level(Movable movable);

  /// Who takes what. Owners keep as many of theirs as they are to have of a topic.
  MembersByPartition takers() const;

 private:
  struct Holding {
    std::size_t topic;
    std::size_t owned = 0;  // of these, how many the member owned from the start
    std::size_t held = 0;
  };
  struct Hop {
    std::size_t from = nobody;  // where a chain starts, the member itself
    std::size_t topic = 0;
    std::size_t length = 0;  // hops from the start
  };

  Holding& holding(std::size_t member, std::size_t topic);
  void place_free(std::size_t topic, std::size_t count);
  std::deque<std::size_t> start_from_heaviest();
  std::size_t find_lighter(std::deque<std::size_t> reached, Movable movable);
  void visit_subscribers(std::size_t from, std::size_t topic, std::deque<std::size_t>& reached);
  void shift_along_chain(std::size_t to);

  const StickyPlan& plan_;
  std::vector<std::vector<Holding>> holdings_;  // by member; by topic within
  std::vector<std::size_t> loads_;
  std::vector<bool> settled_;  // no chain leads on from here
  std::vector<Hop> hops_;      // of this search, by member: how it was reached
  std::vector<bool> visited_topics_;
};

Balance::Balance(const StickyPlan& plan)
    : plan_(plan), holdings_(plan.members.size()), loads_(plan.members.size()) {
  for (std::size_t topic = 0; topic < plan.topics.size(); ++topic) {
    for (const std::size_t member : plan.topics[topic].subscribers)
      holdings_[member].push_back({topic});
    for (const std::size_t owner : plan.owners[topic]) {
      if (owner == nobody) continue;
      ++holdings_[owner].back().owned;
      ++holdings_[owner].back().held;
      ++loads_[owner];
    }
  }
}

Balance::Holding& Balance::holding(std::size_t member, std::size_t topic) {
  auto& holdings = holdings_[member];
  return *std::lower_bound(
      holdings.begin(), holdings.end(), topic,
      [](const Holding& each, std::size_t sought) { return each.topic < sought; });
}

void Balance::place_free() {
  std::vector<std::size_t> order(plan_.topics.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return plan_.topics[a].subscribers.size() < plan_.topics[b].subscribers.size();
  });
  for (const std::size_t topic : order) {
    const auto& owners = plan_.owners[topic];
    place_free(topic, static_cast<std::size_t>(std::count(owners.begin(), owners.end(), nobody)));
  }
}

void Balance::place_free(std::size_t topic, std::size_t count) {
  using Candidate = std::pair<std::size_t, std::size_t>;  // load, member
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
  for (const std::size_t member : plan_.topics[topic].subscribers)
    candidates.emplace(loads_[member], member);
  for (; count > 0; --count) {
    const std::size_t member = candidates.top().second;
    candidates.pop();
    ++holding(member, topic).held;
    candidates.emplace(++loads_[member], member);
  }
}

/// Loads only shrink towards each other, so the heaviest open load never grows. Whatever a search
/// from there reaches without finding a lighter one is settled for good: it has loads of at least
/// one less and at most as many, and leads nowhere else.
void Balance::level(Movable movable) {
  settled_.assign(plan_.members.size(), false);
  for (std::deque<std::size_t> heaviest; !(heaviest = start_from_heaviest()).empty();) {
    const std::size_t to = find_lighter(std::move(heaviest), movable);
    if (to != nobody) {
      shift_along_chain(to);
      continue;
    }
    for (std::size_t member = 0; member < hops_.size(); ++member) {
      if (hops_[member].from != nobody) settled_[member] = true;
    }
  }
}

/// All of them at once, so that the shortest chain of all is found: it moves the least.
std::deque<std::size_t> Balance::start_from_heaviest() {
  hops_.assign(plan_.members.size(), Hop{});
  visited_topics_.assign(plan_.topics.size(), false);
  std::deque<std::size_t> heaviest;
  for (std::size_t member = 0; member < loads_.size(); ++member) {
    if (settled_[member]) continue;
    if (!heaviest.empty() && loads_[member] > loads_[heaviest.front()]) heaviest.clear();
    if (heaviest.empty() || loads_[member] == loads_[heaviest.front()]) heaviest.push_back(member);
  }
  for (const std::size_t member : heaviest) hops_[member].from = member;
  return heaviest;
}

/// The lightest of those at the end of a shortest chain; `nobody` if no chain leads to a lighter
/// one.
std::size_t Balance::find_lighter(std::deque<std::size_t> reached, Movable movable) {
  const std::size_t heaviest_load = loads_[reached.front()];
  std::size_t lightest = nobody;
  for (; !reached.empty(); reached.pop_front()) {
    const std::size_t member = reached.front();
    if (lightest != nobody && hops_[member].length > hops_[lightest].length) break;
    if (loads_[member] + 2 <= heaviest_load &&
        (lightest == nobody || loads_[member] < loads_[lightest]))
      lightest = member;
    if (lightest != nobody) continue;
    for (const Holding& each : holdings_[member]) {
      const std::size_t fixed = movable == Movable::free_only ? each.owned : 0;
      if (each.held > fixed) visit_subscribers(member, each.topic, reached);
    }
  }
  return lightest;
}

void Balance::visit_subscribers(std::size_t from, std::size_t topic,
                                std::deque<std::size_t>& reached) {
  if (visited_topics_[topic]) return;
  visited_topics_[topic] = true;
  for (const std::size_t member : plan_.topics[topic].subscribers) {
    if (settled_[member] || hops_[member].from != nobody) continue;
    hops_[member] = {from, topic, hops_[from].length + 1};
    reached.push_back(member);
  }
}

void Balance::shift_along_chain(std::size_t to) {
  ++loads_[to];
  std::size_t member = to;
  for (; hops_[member].from != member; member = hops_[member].from) {
    ++holding(member, hops_[member].topic).held;
    --holding(hops_[member].from, hops_[member].topic).held;
  }
  --loads_[member];
}

MembersByPartition Balance::takers() const {
  MembersByPartition takers = plan_.owners;
  std::vector<std::size_t> next_holding(plan_.members.size());
  std::vector<std::size_t> room(plan_.members.size());
  for (std::size_t topic = 0; topic < plan_.topics.size(); ++topic) {
    const auto& subscribers = plan_.topics[topic].subscribers;
    for (const std::size_t member : subscribers)
      room[member] = holdings_[member][next_holding[member]++].held;
    std::vector<std::size_t*> open;
    for (std::size_t& taker : takers[topic]) {
      if (taker != nobody && room[taker] > 0) {
        --room[taker];
      } else {
        open.push_back(&taker);
      }
    }
    auto next = open.begin();
    for (const std::size_t member : subscribers) {
      for (; room[member] > 0; --room[member]) **next++ = member;
    }
  }
  return takers;
}

}  // namespace

MembersByPartition assign_general(const StickyPlan& plan) {
  Balance balance(plan);
  balance.place_free();
  balance.level(Balance::Movable::free_only);
  balance.level(Balance::Movable::owned_too);
  return balance.takers();
}

}  // namespace millrace::inline v0::coordinator
