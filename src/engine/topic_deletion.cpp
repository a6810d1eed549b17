#include <algorithm>
#include <millrace/engine/topic_deletion.hpp>
#include <millrace/engine/topic_name.hpp>
#include <millrace/storage/checkpoint.hpp>

namespace millrace::inline v0::engine::registry {
namespace {

constexpr std::string_view doomed_suffix = "-delete";
constexpr const char* metadata_file = "partition.metadata";

/// What a partition's directory is called while it is removed; short enough for any topic name.
std::string doomed_directory(const TopicEntry& topic, PartitionId partition) {
  return partition_directory(topic.name.substr(0, 200), partition) + "." + topic.id +
         std::string(doomed_suffix);
}

std::string metadata_of(const std::string& id) {
  return "version: 0\ntopic_id: " + id + "\n";
}

Result<void> remove_partition(const os::DirectoryPtr& directory, const TopicEntry& topic,
                              PartitionId partition, bool name_is_taken) {
  const std::string name = partition_directory(topic.name, partition);
  MILLRACE_TRY(const bool exists, directory->exists(name));
  if (!exists) return {};
  if (name_is_taken) {  // perhaps by a topic that was made since
    MILLRACE_TRY(const auto there, directory->subdirectory(name, false));
    const auto metadata = there->read_file(metadata_file);
    if (!metadata || *metadata != metadata_of(topic.id)) return {};
  }
  const std::string doomed = doomed_directory(topic, partition);
  MILLRACE_CHECK(directory->rename(name, doomed));
  return directory->remove_tree(doomed);
}

Result<void> remove_partitions(const os::DirectoryPtr& directory, const TopicEntry& topic) {
  MILLRACE_TRY(const auto listed, load_topics(directory));
  const auto is_it = [&](const TopicEntry& other) { return other.id == topic.id; };
  if (std::any_of(listed.begin(), listed.end(), is_it)) return {};
  const bool name_is_taken =
      std::any_of(listed.begin(), listed.end(),
                  [&](const TopicEntry& other) { return other.name == topic.name; });
  for (PartitionId id = 0; id < topic.partitions; ++id) {
    MILLRACE_CHECK(remove_partition(directory, topic, id, name_is_taken));
  }
  return directory->sync();
}

}  // namespace

Result<void> write_partition_metadata(const os::DirectoryPtr& partition, const std::string& id) {
  return partition->replace_file(metadata_file, metadata_of(id));
}

Result<void> announce_deletion(const os::DirectoryPtr& directory, const TopicEntry& topic) {
  return directory->replace_file(deletion_file, storage::format_checkpoint({format_topic(topic)}));
}

Result<void> finish_deletion(const os::DirectoryPtr& directory) {
  MILLRACE_TRY(const bool exists, directory->exists(deletion_file));
  if (!exists) return {};
  MILLRACE_TRY(const std::string text, directory->read_file(deletion_file));
  // A damaged one says nothing: the directories stay, as those of no topic.
  if (const auto lines = storage::parse_checkpoint(text, deletion_file)) {
    for (const std::string& line : *lines) {
      if (const auto topic = parse_topic(line)) {
        MILLRACE_CHECK(remove_partitions(directory, *topic));
      }
    }
  }
  MILLRACE_CHECK(directory->remove(deletion_file));
  return directory->sync();
}

Result<void> remove_doomed(const os::DirectoryPtr& directory) {
  MILLRACE_TRY(const auto entries, directory->list());
  for (const auto& entry : entries) {
    if (entry.is_directory && entry.name.ends_with(doomed_suffix)) {
      MILLRACE_CHECK(directory->remove_tree(entry.name));
    }
  }
  return {};
}

}  // namespace millrace::inline v0::engine::registry
