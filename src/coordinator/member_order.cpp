#include "coordinator/member_order.hpp"

#include <algorithm>

namespace millrace::inline v0::coordinator {
namespace {

/// The first bytes of U+E000 to U+FFFF are 0xee and 0xef, of everything beyond 0xf0 to 0xf4, but in
/// UTF-16 what is beyond begins with a surrogate, 0xd800 to 0xdbff.
unsigned java_rank(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0xee || byte == 0xef ? byte + 0x10u : byte;
}

bool comes_before(const MemberSubscription* a, const MemberSubscription* b) {
  if (a->instance_id && b->instance_id) return java_less(*a->instance_id, *b->instance_id);
  if (a->instance_id || b->instance_id) return a->instance_id.has_value();
  return java_less(a->member_id, b->member_id);
}

}  // namespace

bool java_less(std::string_view a, std::string_view b) noexcept {
  return std::lexicographical_compare(
      a.begin(), a.end(), b.begin(), b.end(),
      [](char left, char right) { return java_rank(left) < java_rank(right); });
}

std::vector<const MemberSubscription*> in_kafka_order(std::span<const MemberSubscription> members) {
  std::vector<const MemberSubscription*> ordered;
  ordered.reserve(members.size());
  for (const MemberSubscription& member : members) ordered.push_back(&member);
  std::sort(ordered.begin(), ordered.end(), comes_before);
  return ordered;
}

std::vector<SubscribedTopic> subscribed_topics(std::span<const MemberSubscription* const> members,
                                               const PartitionCounts& counts) {
  std::map<std::string_view, SubscribedTopic> by_name;
  for (std::size_t member = 0; member < members.size(); ++member) {
    for (const std::string& topic : members[member]->topics) {
      const auto count = counts.find(topic);
      if (count == counts.end() || count->second <= 0) continue;
      SubscribedTopic& entry = by_name[count->first];
      entry.name = count->first;
      entry.partition_count = count->second;
      if (entry.subscribers.empty() || entry.subscribers.back() != member)
        entry.subscribers.push_back(member);
    }
  }
  std::vector<SubscribedTopic> topics;
  topics.reserve(by_name.size());
  for (auto& [name, topic] : by_name) topics.push_back(std::move(topic));
  return topics;
}

GroupAssignment empty_assignment(std::span<const MemberSubscription> members) {
  GroupAssignment assignment;
  for (const MemberSubscription& member : members) assignment[member.member_id];
  return assignment;
}

}  // namespace millrace::inline v0::coordinator
