#include "coordinator/ownership.hpp"

#include <algorithm>
#include <tuple>

namespace millrace::inline v0::coordinator {
namespace {

std::tuple<std::string_view, PartitionId> place_of(const Ownership::Entry& entry) {
  return {entry.topic, entry.partition};
}

}  // namespace

Ownership::Ownership(std::span<const MemberSubscription> members) {
  std::vector<Entry> claims;
  for (const MemberSubscription& member : members) {
    const std::int64_t generation = member.generation_id.value_or(-1);
    for (const TopicPartition& owned : member.owned_partitions)
      claims.push_back({owned.topic, owned.partition, generation, &member, false});
  }
  std::sort(claims.begin(), claims.end(), [](const Entry& a, const Entry& b) {
    return std::tuple(a.topic, a.partition, -a.generation) <
           std::tuple(b.topic, b.partition, -b.generation);
  });
  for (const Entry& claim : claims) {
    if (entries_.empty() || place_of(entries_.back()) != place_of(claim)) {
      entries_.push_back(claim);
    } else if (entries_.back().generation == claim.generation &&
               entries_.back().member != claim.member) {
      entries_.back().contested = true;
    }
  }
}

const Ownership::Entry* Ownership::find(std::string_view topic,
                                        PartitionId partition) const noexcept {
  const std::tuple place{topic, partition};
  const auto at = std::lower_bound(
      entries_.begin(), entries_.end(), place,
      [](const Entry& entry, const auto& sought) { return place_of(entry) < sought; });
  return at != entries_.end() && place_of(*at) == place ? &*at : nullptr;
}

}  // namespace millrace::inline v0::coordinator
