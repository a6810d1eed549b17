#pragma once
#include <millrace/engine/topic_registry.hpp>

namespace millrace::inline v0::engine::registry {

/// Where a deletion is announced before the topic leaves the list of topics, so that one that a
/// crash cuts short is finished, and a later topic of that name never shows the old one's records.
inline constexpr const char* deletion_file = "deleting";

/// Announces that `topic` is about to be deleted; durable once it returns.
Result<void> announce_deletion(const os::DirectoryPtr& directory, const TopicEntry& topic);

/// Removes the directories of an announced topic that is not listed any more, then the
/// announcement; of one that is still listed only the latter. Success if none is announced.
Result<void> finish_deletion(const os::DirectoryPtr& directory);

/// Removes directories that were on their way out.
Result<void> remove_doomed(const os::DirectoryPtr& directory);

/// `partition.metadata`: which topic a partition's directory belongs to, as Kafka writes it.
Result<void> write_partition_metadata(const os::DirectoryPtr& partition, const std::string& id);

}  // namespace millrace::inline v0::engine::registry
