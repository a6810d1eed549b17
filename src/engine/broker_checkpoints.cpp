#include <charconv>
#include <millrace/engine/broker_core.hpp>
#include <millrace/engine/topic_name.hpp>
#include <millrace/storage/checkpoint.hpp>

namespace millrace::inline v0::engine {
namespace {

constexpr const char* recovery_points = "recovery-point-offset-checkpoint";
constexpr const char* high_watermarks = "replication-offset-checkpoint";
constexpr const char* log_starts = "log-start-offset-checkpoint";
constexpr const char* clean_shutdown = ".kafka_cleanshutdown";

/// Calls `take(directory name, offset)` for each line; a damaged file has no lines.
template <typename Take>
void for_each_offset(const os::DirectoryPtr& directory, const char* file, Take&& take) {
  auto text = directory->read_file(file);
  if (!text) return;
  const auto lines = storage::parse_checkpoint(*text, file);
  if (!lines) return;
  for (const std::string& line : *lines) {
    const std::size_t last = line.rfind(' ');
    const std::size_t middle = last == std::string::npos ? last : line.rfind(' ', last - 1);
    if (middle == std::string::npos) continue;
    std::int64_t offset = -1;
    std::from_chars(line.data() + last + 1, line.data() + line.size(), offset);
    if (offset < 0) continue;
    take(line.substr(0, middle) + "-" + line.substr(middle + 1, last - middle - 1), Offset{offset});
  }
}

}  // namespace

Result<void> BrokerCore::load_checkpoints() {
  for_each_offset(directory_, recovery_points, [&](const std::string& name, Offset offset) {
    hints_[name].recovery_point = offset;
  });
  for_each_offset(directory_, log_starts, [&](const std::string& name, Offset offset) {
    hints_[name].log_start_offset = offset;
  });
  return directory_->remove(clean_shutdown);
}

storage::RecoveryHints BrokerCore::hints_for(std::string_view topic, PartitionId id) const {
  const auto it = hints_.find(partition_directory(topic, id));
  return it == hints_.end() ? storage::RecoveryHints{} : it->second;
}

Result<void> BrokerCore::save_checkpoints() {
  std::vector<std::string> points;
  std::vector<std::string> marks;
  std::vector<std::string> starts;
  for (const auto& [name, topic] : topics_) {
    for (const auto& partition : topic->partitions) {
      const storage::Log& log = partition->log();
      const std::string head = name + " " + std::to_string(partition->id()) + " ";
      points.push_back(head + std::to_string(log.flushed_offset().value()));
      marks.push_back(head + std::to_string(log.high_watermark().value()));
      if (log.log_start_offset() > Offset{0}) {
        starts.push_back(head + std::to_string(log.log_start_offset().value()));
      }
    }
  }
  MILLRACE_CHECK(directory_->replace_file(recovery_points, storage::format_checkpoint(points)));
  MILLRACE_CHECK(directory_->replace_file(high_watermarks, storage::format_checkpoint(marks)));
  MILLRACE_CHECK(directory_->replace_file(log_starts, storage::format_checkpoint(starts)));
  return directory_->replace_file(clean_shutdown, "{\"version\":0,\"brokerEpoch\":-1}\n");
}

}  // namespace millrace::inline v0::engine
