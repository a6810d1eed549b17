#pragma once
#include <millrace/coordinator/group.hpp>
#include <millrace/coordinator/offset_table.hpp>
#include <variant>

/// The records of `__consumer_offsets`, Kafka's bytes (GroupMetadataManager; schemas
/// OffsetCommitKey, OffsetCommitValue, GroupMetadataKey, GroupMetadataValue).
namespace millrace::inline v0::coordinator {

inline constexpr std::string_view offsets_topic = "__consumer_offsets";

/// Which partition of an internal topic belongs to a group or transactional id: Java's
/// String.hashCode of it, over UTF-16, modulo the number of partitions.
PartitionId coordinator_partition(std::string_view id, std::int32_t partitions) noexcept;

InternalRecord offset_record(std::string_view group, const TopicPartition& partition,
                             const CommittedOffset& committed);
InternalRecord offset_tombstone(std::string_view group, const TopicPartition& partition);
InternalRecord group_record(const Group& group);
InternalRecord group_tombstone(std::string_view group);

struct OffsetKey {
  std::string_view group;
  std::string_view topic;
  PartitionId partition = 0;
};
struct GroupKey {
  std::string_view group;
};
struct UnknownKey {};  ///< of a kind that is not ours
using RecordKey = std::variant<OffsetKey, GroupKey, UnknownKey>;

/// Views point into `key`. corrupt_data if the bytes are not what they should be.
Result<RecordKey> parse_key(Bytes key);
Result<CommittedOffset> parse_offset(Bytes value);
Result<GroupSnapshot> parse_group(Bytes value);

}  // namespace millrace::inline v0::coordinator
