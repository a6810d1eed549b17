#pragma once
#include <millrace/coordinator/assignor.hpp>
#include <span>
#include <string_view>
#include <vector>

namespace millrace::inline v0::coordinator {

/// Whether `a` comes before `b` as Java compares texts: by UTF-16 units. This differs from the
/// order of the UTF-8 bytes for characters beyond U+FFFF.
bool java_less(std::string_view a, std::string_view b) noexcept;

/// The members as Kafka's assignors order them: static ones first, by instance id, then the others,
/// by member id. The pointers are into `members`.
std::vector<const MemberSubscription*> in_kafka_order(std::span<const MemberSubscription> members);

/// One topic that has partitions, and who subscribes to it.
struct SubscribedTopic {
  std::string_view name;
  std::int32_t partition_count = 0;
  std::vector<std::size_t> subscribers;  // indexes into the ordered members, ascending
};

/// The topics in `counts` that anybody subscribes to, by name.
std::vector<SubscribedTopic> subscribed_topics(std::span<const MemberSubscription* const> members,
                                               const PartitionCounts& counts);

/// An assignment in which every member has an entry, all empty.
GroupAssignment empty_assignment(std::span<const MemberSubscription> members);

}  // namespace millrace::inline v0::coordinator
