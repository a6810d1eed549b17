#pragma once
#include <millrace/engine/topic_config.hpp>
#include <millrace/os/directory.hpp>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::engine {

/// What a data directory says of one topic.
struct TopicEntry {
  std::string name;
  std::int32_t partitions = 1;
  std::string id;  ///< 16 random bytes as 22 characters of URL-safe base64, as Kafka writes them
  ConfigMap config;
};

/// The files at the top of a data directory: `meta.properties`, which says that it is ours and of
/// which format, and `topics`, a checkpoint file with a topic a line.
namespace registry {

inline constexpr const char* meta_file = "meta.properties";
inline constexpr const char* topics_file = "topics";
inline constexpr const char* lock_file = ".lock";
inline constexpr int current_format = 1;

/// Whether a directory is ours, or (false) could become ours because it is empty. Changes nothing;
/// foreign_directory and newer_format as below.
Result<bool> check_meta(const os::DirectoryPtr& directory);

/// Accepts a directory of ours. An empty one becomes ours if `create`. foreign_directory if
/// something else is there, newer_format if a later millrace wrote it.
Result<void> check_or_create_meta(const os::DirectoryPtr& directory, bool create);

/// The cluster.id of a directory of ours; empty if it has none.
Result<std::string> load_cluster_id(const os::DirectoryPtr& directory);

/// A line of the list of topics, with a checksum; nothing if it is damaged.
std::string format_topic(const TopicEntry& topic);
std::optional<TopicEntry> parse_topic(std::string_view line);
/// corrupt_data if the file is damaged.
Result<std::vector<TopicEntry>> load_topics(const os::DirectoryPtr& directory);
/// Replaces the file; durable once it returns.
Result<void> save_topics(const os::DirectoryPtr& directory, const std::vector<TopicEntry>& topics);

/// A fresh random id.
std::string make_uuid();

}  // namespace registry
}  // namespace millrace::inline v0::engine
