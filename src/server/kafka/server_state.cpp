#include "server/kafka/server_state.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <millrace/engine/topic_name.hpp>

namespace millrace::inline v0::server {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t uuid_characters = 22;

}  // namespace

protocol::Uuid parse_uuid(std::string_view text) noexcept {
  protocol::Uuid id;
  if (text.size() != uuid_characters) return {};
  std::uint32_t bits = 0;
  int count = 0;
  std::size_t at = 0;
  for (const char character : text) {
    const std::size_t value = alphabet.find(character);
    if (value == std::string_view::npos) return {};
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8 || at == id.bytes.size()) continue;
    count -= 8;
    id.bytes[at++] = static_cast<std::byte>(bits >> count & 0xff);
  }
  return id;
}

std::string to_text(const protocol::Uuid& id) {
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const std::byte byte : id.bytes) {
    bits = bits << 8 | std::to_integer<std::uint32_t>(byte);
    for (count += 8; count >= 6;) {
      count -= 6;
      text += alphabet[bits >> count & 63];
    }
  }
  return text + alphabet[bits << (6 - count) & 63];
}

std::string ServerState::log_dir() const {
  namespace files = std::filesystem;
  std::error_code error;
  const files::path path = broker_.path();
  const files::path absolute = files::absolute(path, error);
  return error || !files::exists(absolute, error) ? path.string() : absolute.string();
}

Result<engine::TopicPtr> ServerState::topic(const std::string& name) {
  MILLRACE_CHECK(engine::check_topic_name(name));
  return broker_.topic(name);
}

Result<engine::PartitionPtr> ServerState::partition(std::string_view topic, std::int32_t index) {
  auto found = broker_.topic(topic);
  if (!found) return found.error();
  const auto& partitions = (*found)->partitions;
  if (index >= 0 && static_cast<std::size_t>(index) < partitions.size()) {
    return partitions[static_cast<std::size_t>(index)];
  }
  return Error(Errc::unknown_partition, fmt::format("the topic '{}' has {} partitions, none of "
                                                    "number {}",
                                                    topic, partitions.size(), index));
}

Result<engine::TopicPtr> ServerState::topic_of(const protocol::Uuid& id) {
  const std::string text = to_text(id);
  const std::lock_guard lock(mutex_);
  const std::uint64_t version = broker_.topics_version();
  if (version != topics_version_ || topics_by_id_.count(text) == 0) {
    auto topics = broker_.topics();
    if (!topics) return topics.error();
    topics_by_id_.clear();
    for (const auto& topic : *topics) topics_by_id_.emplace(topic->entry.id, topic);
    topics_version_ = version;
  }
  const auto found = topics_by_id_.find(text);
  if (found != topics_by_id_.end()) return found->second;
  return Error(Errc::unknown_topic, fmt::format("there is no topic with the id {}", text));
}

std::shared_ptr<AckQueue> ServerState::ack_queue(const engine::PartitionPtr& partition) {
  const std::lock_guard lock(mutex_);
  const auto known = ack_queues_.find(partition.get());
  if (known != ack_queues_.end()) {
    if (auto queue = known->second.lock()) return queue;
  }
  // A queue keeps its partition, which may have been deleted: none is kept longer than it is used.
  std::erase_if(ack_queues_, [](const auto& entry) { return entry.second.expired(); });
  auto queue = std::make_shared<AckQueue>(partition, workers_, metrics_.flushes);
  ack_queues_.emplace(partition.get(), queue);
  return queue;
}

std::shared_ptr<ParkedFetches> ServerState::parked_on(transport::Loop& loop) {
  const std::lock_guard lock(mutex_);
  auto& parked = parked_[&loop];
  if (parked == nullptr) parked = std::make_shared<ParkedFetches>(loop);
  return parked;
}

void ServerState::close() {
  workers_.close();
  const std::lock_guard lock(mutex_);
  for (const auto& [loop, parked] : parked_) parked->detach();
}

}  // namespace millrace::inline v0::server
