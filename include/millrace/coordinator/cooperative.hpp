#pragma once
#include <millrace/coordinator/assignor.hpp>
#include <span>
#include <vector>

namespace millrace::inline v0::coordinator {

/// What an assignment changes for a member, each sorted and without repetitions.
struct AssignmentChange {
  std::vector<TopicPartition> added;
  std::vector<TopicPartition> revoked;
  friend bool operator==(const AssignmentChange&, const AssignmentChange&) = default;
};

/// From what a member owns to what it is assigned. A member of a cooperative group that has
/// something to revoke stops reading it and joins again, so that it can be given to another.
AssignmentChange change_between(std::span<const TopicPartition> owned,
                                std::span<const TopicPartition> assigned);

/// Takes out of `assignment` each partition that another member than the one it is meant for still
/// owns, by the claims of the highest generation. What is left is safe to hand out at once.
void withhold_moving(std::span<const MemberSubscription> members, GroupAssignment& assignment);

/// Whether some member owns what `assignment` does not give it: then it will revoke that and join
/// again. A member without an entry is given nothing.
bool needs_follow_up(std::span<const MemberSubscription> members,
                     const GroupAssignment& assignment);

}  // namespace millrace::inline v0::coordinator
