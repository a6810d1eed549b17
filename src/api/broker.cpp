#include <millrace/broker.hpp>
#include <millrace/engine/broker_core.hpp>
#include <millrace/server/delayed_delivery.hpp>
#include <millrace/server/group_service.hpp>
#include <millrace/server/topics.hpp>
#include <millrace/server/transaction_service.hpp>
#include <millrace/topic.hpp>

namespace millrace::inline v0 {
namespace {

engine::BrokerCoreOptions core_options(const BrokerOptions& options) {
  return {options.create_if_missing, options.background_thread,        options.clock,
          options.io_hooks,          options.retention_check_interval, options.on_background_error};
}

const char* name_of(storage::RecoveryKind kind) {
  switch (kind) {
    case storage::RecoveryKind::created:
      return "created";
    case storage::RecoveryKind::clean:
      return "clean";
    case storage::RecoveryKind::same_run:
      return "same_run";
    case storage::RecoveryKind::scanned:
      return "scanned";
  }
  return "";
}

/// What the topic's settings become with `policy`: a built-in one itself, a user's own one what is
/// like it.
TopicSettings settings_of(const engine::FlushPolicyBase& policy) {
  constexpr std::int64_t most = std::int64_t{1} << 32;
  TopicSettings settings = {{"flush.messages", ""}, {"flush.ms", ""}};
  if (policy.before_ack()) {
    settings["millrace.flush.policy"] = "before_ack";
    return settings;
  }
  settings["millrace.flush.policy"] = "by_os";
  if (const auto interval = policy.interval()) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(*interval).count();
    settings["millrace.flush.policy"] = "every";
    settings["flush.ms"] = std::to_string(ms);
  }
  if (!policy.due({most})) return settings;
  // Finds the smallest count at which the policy asks for a flush.
  std::int64_t low = 1;
  std::int64_t high = most;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (policy.due({middle})) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  settings["millrace.flush.policy"] = "every";
  settings["flush.messages"] = std::to_string(low);
  return settings;
}

TopicInfo info_of(const engine::TopicCore& topic) {
  return {topic.entry.name, topic.entry.partitions, topic.entry.config};
}

}  // namespace

Result<Broker> Broker::open(std::string_view path, const BrokerOptions& options) {
  MILLRACE_TRY(auto core, engine::BrokerCore::open(path, core_options(options)));
  // What a process that is gone left open would hold up those who read committed records.
  if (auto done = server::TransactionService::recover(*core); !done) {
    core->scheduler().report(done.error());
  }
  MILLRACE_CHECK(server::DelayedDelivery::start(*core));
  return Broker(std::move(core));
}

Result<Broker> Broker::attach(std::string_view path, const BrokerOptions& options) {
  MILLRACE_TRY(auto core, engine::BrokerCore::attach(path, core_options(options)));
  return Broker(std::move(core));
}

Result<std::shared_ptr<const engine::TopicCore>> Broker::open_topic(
    std::string_view name, const TopicOptions& options) const {
  auto found = core_->topic(name);
  const bool create = !found && found.error().code() == Errc::unknown_topic &&
                      options.create_if_missing && core_->is_owner();
  if (create) {
    auto created = create_topic(name, options);
    if (!created && created.error().code() != Errc::topic_exists) return std::move(created).error();
    found = core_->topic(name);
    if (created) return found;
    if (!found) return std::move(created).error();  // it collides with another name
  }
  if (!found) return found;
  const engine::TopicPtr topic = *found;
  if (options.partitions && *options.partitions != topic->entry.partitions) {
    return Error(Errc::topic_exists, "topic " + topic->entry.name + " has " +
                                         std::to_string(topic->entry.partitions) +
                                         " partitions, not " + std::to_string(*options.partitions) +
                                         "; leave the number out, or use add_partitions()");
  }
  if (!options.flush || !core_->is_owner()) return found;
  const engine::FlushPolicyPtr& policy = options.flush->erased();
  MILLRACE_CHECK(core_->alter_topic(name, settings_of(*policy), policy));
  return core_->topic(name);
}

Result<void> Broker::create_topic(std::string_view name, const TopicOptions& options) const {
  TopicSettings settings = options.settings;
  engine::FlushPolicyPtr policy;
  if (options.flush) {
    policy = options.flush->erased();
    engine::change_settings(settings, settings_of(*policy));
  }
  MILLRACE_CHECK(server::create_topic(*core_, name, options.partitions.value_or(1), settings,
                                      std::move(policy)));
  return {};
}

Result<std::vector<TopicInfo>> Broker::topics() const {
  MILLRACE_TRY(const auto topics, core_->topics());
  std::vector<TopicInfo> infos;
  infos.reserve(topics.size());
  for (const auto& topic : topics) infos.push_back(info_of(*topic));
  return infos;
}

Result<TopicInfo> Broker::describe_topic(std::string_view name) const {
  MILLRACE_TRY(const auto topic, core_->topic(name));
  return info_of(*topic);
}

Result<void> Broker::alter_topic(std::string_view name, const TopicSettings& changes) const {
  return server::alter_topic(*core_, name, changes);
}

Result<void> Broker::add_partitions(std::string_view name, std::int32_t total) const {
  return server::add_partitions(*core_, name, total);
}

Result<void> Broker::delete_topic(std::string_view name) const {
  return server::delete_topic(*core_, name);
}

std::vector<PartitionRecoveryInfo> Broker::recovery_report() const {
  std::vector<PartitionRecoveryInfo> infos;
  for (const auto& [topic, partition, report] : core_->recovery()) {
    infos.push_back({topic, partition, name_of(report.kind), report.log_start_offset,
                     report.log_end_offset, report.scanned_bytes, report.truncated_bytes,
                     report.damaged, report.took});
  }
  return infos;
}

bool Broker::is_attached() const noexcept {
  return !core_->is_owner();
}
const std::string& Broker::path() const noexcept {
  return core_->path();
}
std::size_t Broker::run_pending() const {
  return core_->run_pending();
}
std::optional<Clock::Steady> Broker::next_pending() const {
  return core_->scheduler().next_due();
}
Result<void> Broker::close() const {
  return core_->close();
}

namespace detail {

const std::string& topic_name_of(const engine::TopicCore& topic) noexcept {
  return topic.entry.name;
}

std::int32_t partition_count_of(const engine::TopicCore& topic) noexcept {
  return topic.entry.partitions;
}

Result<PartitionHandle> partition_of(const std::shared_ptr<engine::BrokerCore>& broker,
                                     const engine::TopicCore& topic, PartitionId id) {
  const auto index = static_cast<std::size_t>(id);
  if (id < 0 || index >= topic.readers.size()) {
    return Error(Errc::unknown_partition, "topic " + topic.entry.name + " has partitions 0 to " +
                                              std::to_string(topic.readers.size() - 1) + ", not " +
                                              std::to_string(id))
        .at(topic.entry.name, id);
  }
  return PartitionHandle(broker, topic.readers[index],
                         topic.partitions.empty() ? nullptr : topic.partitions[index]);
}

}  // namespace detail
}  // namespace millrace::inline v0
