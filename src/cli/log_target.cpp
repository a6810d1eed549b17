#include "log_target.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <millrace/engine/producer_ids.hpp>
#include <millrace/engine/topic_name.hpp>
#include <millrace/engine/topic_registry.hpp>
#include <millrace/storage/file_names.hpp>

#include "progress.hpp"

namespace millrace::inline v0::cli {
namespace {

namespace registry = engine::registry;
using storage::FindingKind;
using storage::Severity;

/// A partition's directory has a segment or one of the files that come before the first segment.
Result<bool> holds_a_log(const os::DirectoryPtr& directory) {
  MILLRACE_TRY(const auto entries, directory->list());
  return std::any_of(entries.begin(), entries.end(), [](const os::DirectoryEntry& entry) {
    return storage::parse_file_name(entry.name, storage::log_suffix).has_value() ||
           entry.name == storage::ControlFile::name || entry.name == "partition.metadata";
  });
}

/// The data directory that a partition's directory is in; null if it is on its own.
os::DirectoryPtr data_directory_of(const std::filesystem::path& partition) {
  if (!engine::parse_partition_directory(partition.filename().string())) return nullptr;
  const auto parent = os::open_directory(partition.parent_path().string(), false);
  if (!parent || !registry::check_meta(*parent).value_or(false)) return nullptr;
  return *parent;
}

Result<os::FileLock> lock(const os::DirectoryPtr& directory, LogAccess access) {
  const std::string holder = fmt::format("millrace log, process {}", ::getpid());
  auto lock = access == LogAccess::write
                  ? directory->lock(registry::lock_file, holder)
                  : os::lock_for_reading(directory, registry::lock_file, holder);
  if (lock || lock.error().code() != Errc::directory_locked) return lock;
  return Error(
      Errc::directory_locked,
      lock.error().message() + ", as millrace consume does; millrace log wants it for itself",
      lock.error().os_code());
}

/// `directory`, in which there is no log, has to be a data directory.
Result<void> require_data_directory(const os::DirectoryPtr& directory, const std::string& path) {
  MILLRACE_TRY(const bool has_meta, directory->exists(registry::meta_file));
  if (has_meta) {
    MILLRACE_CHECK(registry::check_meta(directory));
    return {};
  }
  const bool is_empty = registry::check_meta(directory).has_value();
  return Error(Errc::foreign_directory,
               fmt::format("{} is not a millrace data directory: {}, so nothing was done; give the "
                           "directory that --data names, or a partition's in it",
                           path,
                           is_empty ? std::string("it is empty")
                                    : fmt::format("it has no {}", registry::meta_file)));
}

class Listing {
 public:
  Listing(LogTarget& target, const os::DirectoryPtr& directory)
      : target_(target), directory_(directory) {}
  Result<void> run();

 private:
  using Id = std::pair<std::string, PartitionId>;
  void find(FindingKind kind, Severity severity, const std::string& file, std::string text) {
    target_.findings.push_back({kind, severity, file, 0, 0, {}, std::move(text)});
  }
  void hold_against_topics(const std::vector<Id>& present);

  LogTarget& target_;
  const os::DirectoryPtr& directory_;
};

void Listing::hold_against_topics(const std::vector<Id>& present) {
  const auto topics = registry::load_topics(directory_);
  if (!topics) {
    find(FindingKind::checkpoint, Severity::damage, registry::topics_file,
         fmt::format("{}; or, without a copy, delete it and create the topics again with as many "
                     "partitions: they find their records",
                     topics.error().message()));
    return;
  }
  std::vector<Id> listed;
  for (const auto& topic : *topics) {
    for (PartitionId id = 0; id < topic.partitions; ++id) listed.emplace_back(topic.name, id);
  }
  for (const Id& id : listed) {
    if (std::find(present.begin(), present.end(), id) != present.end()) continue;
    const std::string name = engine::partition_directory(id.first, id.second);
    find(FindingKind::missing_offsets, Severity::damage, name,
         fmt::format("directory {} is missing; restore it from a copy, or opening makes a new, "
                     "empty one",
                     name));
  }
  for (const Id& id : present) {
    if (std::find(listed.begin(), listed.end(), id) != listed.end()) continue;
    const std::string name = engine::partition_directory(id.first, id.second);
    find(FindingKind::leftover, Severity::note, name,
         fmt::format("directory {} belongs to no topic: a create or delete that was interrupted, "
                     "or the file {} lost it; nobody reads it",
                     name, registry::topics_file));
  }
}

Result<void> Listing::run() {
  MILLRACE_TRY(const auto entries, directory_->list());
  std::vector<Id> present;
  for (const auto& entry : entries) {
    if (!entry.is_directory) continue;
    if (auto id = engine::parse_partition_directory(entry.name)) present.push_back(*std::move(id));
    if (entry.name.ends_with("-delete")) {
      find(FindingKind::leftover, Severity::note, entry.name,
           fmt::format("directory {} is of a topic that was deleted; opening removes it",
                       entry.name));
    }
  }
  std::sort(present.begin(), present.end());
  for (const auto& [topic, id] : present) {
    const std::string name = engine::partition_directory(topic, id);
    MILLRACE_TRY(auto directory, directory_->subdirectory(name, false));
    target_.partitions.push_back({name, std::move(directory)});
  }
  hold_against_topics(present);
  if (const auto ids = engine::ProducerIds::read(directory_); !ids) {
    find(FindingKind::checkpoint, Severity::problem, engine::ProducerIds::file_name,
         ids.error().message());
  }
  return {};
}

/// Leaves the partitions that were asked for.
Result<void> choose(LogTarget& target, const std::vector<std::string>& only) {
  if (only.empty()) return {};
  const auto is_named = [](const LogPartition& partition, const std::string& text) {
    return partition.name == text || partition.name.ends_with("-" + text);
  };
  for (const std::string& text : only) {
    const bool found = std::any_of(target.partitions.begin(), target.partitions.end(),
                                   [&](const auto& one) { return is_named(one, text); });
    if (found) continue;
    std::string names;
    for (const auto& one : target.partitions) names += (names.empty() ? "" : ", ") + one.name;
    return Error(Errc::unknown_partition,
                 fmt::format("there is no partition {} in {}; it has: {}", text, target.path,
                             names.empty() ? "none" : names.substr(0, 500)));
  }
  std::erase_if(target.partitions, [&](const LogPartition& partition) {
    return std::none_of(only.begin(), only.end(),
                        [&](const auto& text) { return is_named(partition, text); });
  });
  target.findings.clear();
  return {};
}

}  // namespace

std::uint64_t LogTarget::log_bytes() const {
  std::uint64_t bytes = 0;
  for (const LogPartition& partition : partitions) {
    const auto entries = partition.directory->list();
    if (!entries) continue;
    for (const auto& entry : *entries) {
      if (!storage::parse_file_name(entry.name, storage::log_suffix)) continue;
      const auto file = partition.directory->open(entry.name, os::OpenMode::read_only);
      if (file) bytes += file->size().value_or(0);
    }
  }
  return bytes;
}

Result<LogTarget> open_log_target(const LogTargetOptions& options, LogAccess access) {
  LogTarget target;
  target.path = options.path;
  MILLRACE_TRY(const os::DirectoryPtr directory, os::open_directory(options.path, false));
  std::error_code failed;
  const auto path = std::filesystem::canonical(options.path, failed);
  const auto owner = failed ? nullptr : data_directory_of(path);
  MILLRACE_TRY(const bool has_log, holds_a_log(directory));
  if (owner || has_log) {
    if (owner) {
      MILLRACE_TRY(target.lock, lock(owner, access));
    }
    target.partitions.push_back({failed ? options.path : path.filename().string(), directory});
  } else {
    // Before the lock, which would leave a file in it.
    MILLRACE_CHECK(require_data_directory(directory, options.path));
    MILLRACE_TRY(target.lock, lock(directory, access));
    MILLRACE_CHECK(Listing(target, directory).run());
  }
  MILLRACE_CHECK(choose(target, options.only));
  return target;
}

void add_log_target(CLI::App& command, LogTargetOptions& options) {
  command.add_option(
      "DIR", options.path,
      "A data directory, or the directory of one partition; needed unless --data (or "
      "MILLRACE_DATA) names the data directory");
  command
      .add_option("--partition", options.only,
                  "Only this one of a data directory, like orders-3, or 3 for all topics; may be "
                  "repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
}

std::string_view name_of(Severity severity) noexcept {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::problem:
      return "problem";
    case Severity::damage:
      return "damage";
  }
  return "unknown";
}

std::string counted(std::uint64_t count, std::string_view what) {
  const std::string_view plural = count == 1 ? "" : what.ends_with("ch") ? "es" : "s";
  return fmt::format("{} {}{}", with_commas(count), what, plural);
}

}  // namespace millrace::inline v0::cli
