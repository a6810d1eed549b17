#include "data_directory.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <millrace/engine/topic_registry.hpp>

#include "../api/owner_socket.hpp"
#include "program.hpp"

namespace millrace::inline v0::cli {
namespace {

std::string quoted(const std::string& word) {
  const bool is_plain =
      !word.empty() && word.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                           "._-/+:@,=") == std::string::npos;
  if (is_plain) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// Has nothing in it that is somebody else's, and nothing of ours either.
bool is_empty(const std::string& path) {
  const auto directory = os::open_directory(path, false);
  if (!directory) return false;
  const auto is_ours = engine::registry::check_meta(*directory);
  return is_ours && !*is_ours;
}

void tell(const PartitionRecoveryInfo& found) {
  if (found.truncated_bytes > 0) {
    complain(fmt::format("{}-{}: cut off {} unacknowledged bytes behind offset {}", found.topic,
                         found.partition, found.truncated_bytes, found.log_end_offset.value()));
  }
  for (const OffsetRange& range : found.damaged) {
    complain(
        fmt::format("{}-{}: offsets {} to {} are damaged and cannot be read; see millrace log "
                    "verify",
                    found.topic, found.partition, range.begin.value(), range.end.value() - 1));
  }
}

}  // namespace

Error with_remedy(const Error& error, const std::string& data, const std::string& topic) {
  std::string remedy;
  std::error_code ignored;
  const bool exists = std::filesystem::exists(data, ignored);
  if (error.code() == Errc::unknown_topic) {
    remedy = fmt::format("; create it with: millrace topic create {} --partitions 1 --data {}",
                         quoted(topic), quoted(data));
  } else if (error.code() == Errc::directory_locked) {
    remedy =
        ", as millrace consume (without --group), topic list and describe, group list and "
        "describe, and txn list and describe do";
  } else if (error.os_code() == ENOENT && !exists) {
    remedy =
        "; the directory is made by the first: millrace topic create NAME --data " + quoted(data);
  } else if (error.code() == Errc::foreign_directory && is_empty(data)) {
    remedy = ": millrace topic create NAME --data " + quoted(data);
  }
  if (remedy.empty()) return error;
  return {error.code(), error.message() + remedy, error.os_code()};
}

Result<Broker> open_as_owner(const std::string& path, bool create_if_missing) {
  return open_as_owner(path, BrokerOptions{.create_if_missing = create_if_missing});
}

Result<Broker> open_as_owner(const std::string& path, const BrokerOptions& options) {
  auto broker = Broker::open(path, options);
  if (!broker) return with_remedy(broker.error(), path, {});
  for (const PartitionRecoveryInfo& found : broker->recovery_report()) tell(found);
  return broker;
}

Result<Broker> open_for_appending(const std::string& path) {
  auto broker = open_as_owner(path, false);
  if (broker || broker.error().code() != Errc::directory_locked) return broker;
  return detail::is_served(detail::owner_socket(path)) ? Broker::attach(path) : broker;
}

Result<Broker> open_for_reading(const std::string& path) {
  auto broker = Broker::attach(path);
  if (!broker) return with_remedy(broker.error(), path, {});
  return broker;
}

Result<Topic<Bytes, Bytes>> find_topic(const Broker& broker, const std::string& name) {
  auto topic = broker.topic<Bytes, Bytes>(name, {.create_if_missing = false});
  if (!topic) return with_remedy(topic.error(), broker.path(), name);
  return topic;
}

}  // namespace millrace::inline v0::cli
