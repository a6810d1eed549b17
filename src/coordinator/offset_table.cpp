#include <millrace/coordinator/offset_table.hpp>

namespace millrace::inline v0::coordinator {

void OffsetTable::apply(std::string_view topic, PartitionId partition, CommittedOffset committed,
                        std::uint64_t order) {
  auto of_topic = topics_.find(topic);
  if (of_topic == topics_.end()) of_topic = topics_.emplace(std::string(topic), Partitions()).first;
  const auto [at, is_new] = of_topic->second.try_emplace(partition);
  if (is_new || at->second.order <= order) at->second = {std::move(committed), order};
}

void OffsetTable::erase(std::string_view topic, PartitionId partition) {
  const auto of_topic = topics_.find(topic);
  if (of_topic == topics_.end()) return;
  of_topic->second.erase(partition);
  if (of_topic->second.empty()) topics_.erase(of_topic);
}

const CommittedOffset* OffsetTable::find(std::string_view topic, PartitionId partition) const {
  const auto of_topic = topics_.find(topic);
  if (of_topic == topics_.end()) return nullptr;
  const auto found = of_topic->second.find(partition);
  return found == of_topic->second.end() ? nullptr : &found->second.committed;
}

}  // namespace millrace::inline v0::coordinator
