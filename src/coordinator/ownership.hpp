#pragma once
#include <millrace/coordinator/assignor.hpp>
#include <span>
#include <string_view>
#include <vector>

namespace millrace::inline v0::coordinator {

/// Who owns what, by what the members claim: for each partition those of the highest generation.
class Ownership {
 public:
  struct Entry {
    std::string_view topic;
    PartitionId partition;
    std::int64_t generation;  // -1 if unknown
    const MemberSubscription* member;
    bool contested;  // claimed by another member too, of the same generation
  };

  /// Points into `members`, which must outlive it.
  explicit Ownership(std::span<const MemberSubscription> members);

  /// One for each claimed partition, by topic and partition.
  const std::vector<Entry>& entries() const noexcept { return entries_; }
  /// nullptr if nobody claims it.
  const Entry* find(std::string_view topic, PartitionId partition) const noexcept;

 private:
  std::vector<Entry> entries_;
};

}  // namespace millrace::inline v0::coordinator
