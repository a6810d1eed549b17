#include <unistd.h>

#include <algorithm>
#include <millrace/engine/attached_partition.hpp>
#include <millrace/engine/broker_core.hpp>
#include <millrace/engine/topic_deletion.hpp>
#include <millrace/engine/topic_name.hpp>

namespace millrace::inline v0::engine {
namespace {

constexpr std::string_view memory_path = ":memory:";
constexpr std::int32_t most_partitions = 100'000;

std::string holder_text() {
  return "process " + std::to_string(::getpid());
}

Result<void> check_partition_count(std::int32_t partitions) {
  if (partitions >= 1 && partitions <= most_partitions) return {};
  return Error(Errc::invalid_argument, "a topic has 1 to " + std::to_string(most_partitions) +
                                           " partitions, not " + std::to_string(partitions));
}

/// Whether a topic may get these settings, as far as they are about delayed delivery.
Result<void> check_delayed_delivery(const TopicCore& topic, const ConfigMap& settings) {
  ConfigMap together;
  for (const char* const name : {delayed_delivery_setting, "cleanup.policy"}) {
    if (const auto set = settings.find(name); set != settings.end()) together.insert(*set);
  }
  MILLRACE_TRY(const TopicConfig parsed, parse_topic_config(together));
  for (const auto& partition : topic.partitions) {
    const storage::Log& log = partition->log();
    const bool is_empty = log.log_start_offset() == log.log_end_offset();
    if (is_empty || partition->delays() == parsed.log.delayed_delivery) continue;
    return Error(Errc::invalid_argument,
                 std::string(delayed_delivery_setting) + " of topic " + topic.entry.name +
                     " cannot change while it has records, for it decides which of them have been "
                     "seen; make another topic with the setting")
        .at(partition->topic(), partition->id());
  }
  return {};
}

bool names_flush(const ConfigMap& changes) {
  return changes.contains("millrace.flush.policy") || changes.contains("flush.messages") ||
         changes.contains("flush.ms");
}

}  // namespace

BrokerCore::BrokerCore(std::string path, const BrokerCoreOptions& options, bool owner)
    : path_(std::move(path)),
      options_(options),
      owner_(owner),
      clock_(options.clock != nullptr ? options.clock : &system_clock()),
      scheduler_(*clock_, options.on_background_error) {}

// Whoever wants to hear what was not durable calls close() first.
BrokerCore::~BrokerCore() {
  static_cast<void>(close());
}

Result<std::shared_ptr<BrokerCore>> BrokerCore::open(std::string_view path,
                                                     const BrokerCoreOptions& options) {
  std::shared_ptr<BrokerCore> core(new BrokerCore(std::string(path), options, true));
  MILLRACE_CHECK(core->open_directory());
  // Before the lock, which would leave a file in a directory that is not ours.
  MILLRACE_CHECK(registry::check_meta(core->directory_));
  MILLRACE_TRY(core->lock_, core->directory_->lock(registry::lock_file, holder_text()));
  MILLRACE_CHECK(registry::check_or_create_meta(core->directory_, options.create));
  MILLRACE_TRY(core->hub_, WakeHub::open(core->directory_, true));
  MILLRACE_CHECK(registry::finish_deletion(core->directory_));
  MILLRACE_CHECK(registry::remove_doomed(core->directory_));
  MILLRACE_CHECK(core->load_checkpoints());
  MILLRACE_CHECK(core->load());
  core->producer_ids_.emplace(core->directory_,
                              [self = core.get()] { return self->largest_producer_id(); });
  core->closed_.store(false);
  core->hub_.wake_everybody();
  core->schedule_cleaning();
  if (options.background_thread) core->scheduler_.start();
  return core;
}

Result<std::shared_ptr<BrokerCore>> BrokerCore::attach(std::string_view path,
                                                       const BrokerCoreOptions& options) {
  BrokerCoreOptions attached = options;
  attached.create = false;
  std::shared_ptr<BrokerCore> core(new BrokerCore(std::string(path), attached, false));
  MILLRACE_CHECK(core->open_directory());
  MILLRACE_CHECK(registry::check_or_create_meta(core->directory_, false));
  MILLRACE_TRY(core->hub_, WakeHub::open(core->directory_, false));
  MILLRACE_CHECK(core->refresh());
  core->closed_.store(false);
  // For producers that linger.
  if (options.background_thread) core->scheduler_.start();
  return core;
}

Result<void> BrokerCore::open_directory() {
  if (path_ == memory_path) {
    if (!owner_) {
      return Error(Errc::invalid_argument,
                   "a \":memory:\" broker cannot be attached to: it has no directory");
    }
    directory_ = os::make_memory_directory(options_.io_hooks);
    return {};
  }
  MILLRACE_TRY(directory_, os::open_directory(path_, options_.create, options_.io_hooks));
  return {};
}

Result<void> BrokerCore::load() {
  MILLRACE_TRY(auto entries, registry::load_topics(directory_));
  for (auto& entry : entries) {
    MILLRACE_TRY(const TopicPtr topic, open_topic(std::move(entry), nullptr));
    topics_.emplace(topic->entry.name, topic);
  }
  return {};
}

Result<TopicPtr> BrokerCore::open_topic(TopicEntry entry, FlushPolicyPtr policy) {
  MILLRACE_TRY(TopicConfig config, parse_topic_config(usable_settings(entry.config)));
  if (policy) config.use_flush(std::move(policy));
  auto topic = std::make_shared<TopicCore>();
  topic->entry = std::move(entry);
  const std::string& name = topic->entry.name;
  for (PartitionId id = 0; id < topic->entry.partitions; ++id) {
    if (!owner_) {
      MILLRACE_TRY(auto reader, attach_partition(name, id));
      topic->readers.push_back(std::move(reader));
      continue;
    }
    MILLRACE_TRY(auto directory, directory_->subdirectory(partition_directory(name, id), true));
    auto log = storage::Log::open(std::move(directory), config.log, {clock_, hints_for(name, id)});
    if (!log) return log.error().at(name, id);
    const auto& report = (*log)->recovery();
    if (report.kind != storage::RecoveryKind::created || !report.damaged.empty()) {
      recovery_.push_back({name, id, (*log)->recovery()});
    }
    topic->partitions.push_back(
        std::make_shared<Partition>(name, id, *std::move(log), config, scheduler_, hub_));
    topic->readers.push_back(topic->partitions.back());
  }
  return TopicPtr(topic);
}

Result<std::shared_ptr<PartitionReader>> BrokerCore::attach_partition(const std::string& topic,
                                                                      PartitionId id) {
  MILLRACE_TRY(auto directory, directory_->subdirectory(partition_directory(topic, id), false));
  auto attached = AttachedPartition::open(topic, id, std::move(directory));
  if (!attached) return attached.error().at(topic, id);
  return std::shared_ptr<PartitionReader>(*std::move(attached));
}

Result<void> BrokerCore::refresh() {
  MILLRACE_TRY(auto entries, registry::load_topics(directory_));
  std::map<std::string, TopicPtr, std::less<>> now;
  for (auto& entry : entries) {
    const auto known = topics_.find(entry.name);
    if (known != topics_.end() && known->second->entry.id == entry.id &&
        known->second->entry.partitions == entry.partitions) {
      now.insert(*known);
      continue;
    }
    MILLRACE_TRY(const TopicPtr topic, open_topic(std::move(entry), nullptr));
    now.emplace(topic->entry.name, topic);
  }
  topics_ = std::move(now);
  return {};
}

Result<void> BrokerCore::require_owner(std::string_view doing) const {
  if (is_closed()) {
    return Error(Errc::closed, std::string(doing) + ": the broker on " + path_ + " is closed");
  }
  if (owner_) return {};
  return Error(Errc::read_only, std::string(doing) + ": this process is attached to " + path_ +
                                    " read-only; do it in the process that owns the directory");
}

Result<void> BrokerCore::save() {
  std::vector<TopicEntry> entries;
  for (const auto& [name, topic] : topics_) entries.push_back(topic->entry);
  return registry::save_topics(directory_, entries);
}

void BrokerCore::announce_topics() {
  topics_version_.fetch_add(1, std::memory_order_release);
  hub_.wake_everybody();
}

Result<TopicPtr> BrokerCore::create_topic(std::string_view name, std::int32_t partitions,
                                          const ConfigMap& config, FlushPolicyPtr policy) {
  MILLRACE_CHECK(check_topic_name(name));
  MILLRACE_CHECK(check_partition_count(partitions));
  MILLRACE_CHECK(parse_topic_config(config));
  const std::lock_guard lock(mutex_);
  MILLRACE_CHECK(require_owner("creating topic " + std::string(name)));
  for (const auto& [other, topic] : topics_) {
    if (other == name) {
      return Error(Errc::topic_exists, "topic " + other + " exists already, with " +
                                           std::to_string(topic->entry.partitions) + " partitions");
    }
    if (names_collide(other, name)) {
      return Error(Errc::topic_exists, "topic " + std::string(name) + " collides with " + other +
                                           ": '.' and '_' count as the same");
    }
  }
  MILLRACE_CHECK(registry::finish_deletion(directory_));  // perhaps of one of this name
  TopicEntry entry{std::string(name), partitions, registry::make_uuid(), config};
  const std::string id = entry.id;
  MILLRACE_TRY(const TopicPtr topic, open_topic(std::move(entry), std::move(policy)));
  for (PartitionId p = 0; p < partitions; ++p) {
    MILLRACE_TRY(auto directory, directory_->subdirectory(partition_directory(name, p), true));
    MILLRACE_CHECK(registry::write_partition_metadata(directory, id));
  }
  topics_.emplace(topic->entry.name, topic);
  if (auto saved = save(); !saved) {
    topics_.erase(topic->entry.name);
    return std::move(saved).error();
  }
  announce_topics();
  return topic;
}

Result<TopicPtr> BrokerCore::topic(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (!owner_) MILLRACE_CHECK(refresh());
  return find_locked(name);
}

Result<TopicPtr> BrokerCore::find_locked(std::string_view name) const {
  MILLRACE_CHECK(check_topic_name(name));
  const auto it = topics_.find(name);
  if (it != topics_.end()) return it->second;
  std::string known;
  for (const auto& [other, topic] : topics_) {
    if (known.size() < 200) known += (known.empty() ? "" : ", ") + other;
  }
  return Error(Errc::unknown_topic,
               "there is no topic " + std::string(name) + " in " + path_ +
                   (known.empty() ? "; it has no topics yet" : "; it has: " + known));
}

Result<std::vector<TopicPtr>> BrokerCore::topics() {
  const std::lock_guard lock(mutex_);
  if (!owner_) MILLRACE_CHECK(refresh());
  std::vector<TopicPtr> all;
  for (const auto& [name, topic] : topics_) all.push_back(topic);
  return all;
}

Result<void> BrokerCore::alter_topic(std::string_view name, const ConfigMap& changes,
                                     FlushPolicyPtr policy) {
  const std::lock_guard lock(mutex_);
  MILLRACE_CHECK(require_owner("altering topic " + std::string(name)));
  MILLRACE_TRY(const TopicPtr topic, find_locked(name));
  ConfigMap set;
  change_settings(set, changes);
  MILLRACE_CHECK(parse_topic_config(set));
  auto changed = std::make_shared<TopicCore>(*topic);
  change_settings(changed->entry.config, changes);
  if (changes.contains(delayed_delivery_setting) || changes.contains("cleanup.policy")) {
    MILLRACE_CHECK(check_delayed_delivery(*topic, changed->entry.config));
  }
  MILLRACE_TRY(const TopicConfig parsed,
               parse_topic_config(usable_settings(changed->entry.config)));
  topics_[topic->entry.name] = changed;
  if (changed->entry.config != topic->entry.config) {
    if (auto saved = save(); !saved) {
      topics_[topic->entry.name] = topic;
      return saved;
    }
  }
  if (!policy && names_flush(changes)) policy = parsed.flush;
  Result<void> first;
  for (const auto& partition : topic->partitions) {
    partition->set_config(parsed);
    if (!policy) continue;
    auto flushed = partition->set_flush_policy(policy);
    if (!flushed && first) first = std::move(flushed);
  }
  return first;
}

Result<void> BrokerCore::add_partitions(std::string_view name, std::int32_t partitions) {
  MILLRACE_CHECK(check_partition_count(partitions));
  const std::lock_guard lock(mutex_);
  MILLRACE_CHECK(require_owner("adding partitions to topic " + std::string(name)));
  MILLRACE_TRY(const TopicPtr topic, find_locked(name));
  if (partitions <= topic->entry.partitions) {
    return Error(Errc::invalid_argument, "topic " + topic->entry.name + " has " +
                                             std::to_string(topic->entry.partitions) +
                                             " partitions; the new number must be larger");
  }
  TopicEntry grown = topic->entry;
  grown.partitions = partitions;
  auto changed = std::make_shared<TopicCore>(*topic);
  changed->entry = grown;
  const TopicConfig config = topic->partitions.front()->config();
  for (PartitionId id = topic->entry.partitions; id < partitions; ++id) {
    MILLRACE_TRY(auto directory, directory_->subdirectory(partition_directory(name, id), true));
    MILLRACE_CHECK(registry::write_partition_metadata(directory, grown.id));
    auto log = storage::Log::open(std::move(directory), config.log, {clock_, {}});
    if (!log) return log.error().at(name, id);
    changed->partitions.push_back(
        std::make_shared<Partition>(grown.name, id, *std::move(log), config, scheduler_, hub_));
    changed->readers.push_back(changed->partitions.back());
  }
  topics_[grown.name] = changed;
  if (auto saved = save(); !saved) {
    topics_[grown.name] = topic;
    return saved;
  }
  announce_topics();
  return {};
}

Result<void> BrokerCore::delete_topic(std::string_view name) {
  const std::lock_guard lock(mutex_);
  MILLRACE_CHECK(require_owner("deleting topic " + std::string(name)));
  MILLRACE_TRY(const TopicPtr topic, find_locked(name));
  MILLRACE_CHECK(registry::finish_deletion(directory_));
  MILLRACE_CHECK(registry::announce_deletion(directory_, topic->entry));
  topics_.erase(topic->entry.name);
  if (auto saved = save(); !saved) {
    topics_.emplace(topic->entry.name, topic);
    return saved;
  }
  announce_topics();
  // What could not be flushed of a topic that goes away is no loss.
  for (const auto& partition : topic->partitions) static_cast<void>(partition->close());
  return registry::finish_deletion(directory_);
}

Result<BrokerServicePtr> BrokerCore::service(
    const std::string& name, const std::function<Result<BrokerServicePtr>()>& make) {
  const std::lock_guard lock(services_mutex_);
  MILLRACE_CHECK(require_owner("using " + name));
  const auto known = services_.find(name);
  if (known != services_.end()) return known->second;
  MILLRACE_TRY(BrokerServicePtr made, make());
  services_.emplace(name, made);
  return made;
}

Result<record::ProducerIdentity> BrokerCore::take_producer_id() {
  MILLRACE_CHECK(require_owner("giving a producer its id"));
  return producer_ids_->take();
}

void BrokerCore::give_back(const record::ProducerIdentity& identity) {
  if (producer_ids_) producer_ids_->give_back(identity);
}

void BrokerCore::note_producer_id(std::int64_t id) {
  if (producer_ids_) producer_ids_->note(id);
}

std::int64_t BrokerCore::largest_producer_id() {
  const std::lock_guard lock(mutex_);
  std::int64_t largest = -1;
  for (const auto& [name, topic] : topics_) {
    for (const auto& partition : topic->partitions) {
      largest = std::max(largest, partition->log().largest_producer_id());
    }
  }
  return largest;
}

std::size_t BrokerCore::run_pending() {
  return scheduler_.run_pending(clock_->steady());
}

void BrokerCore::schedule_cleaning() {
  scheduler_.at(clock_->steady() + options_.retention_check_interval, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->is_closed()) return;
    auto topics = self->topics();
    for (const auto& topic : topics ? *topics : std::vector<TopicPtr>()) {
      for (const auto& partition : topic->partitions) partition->clean_task();
    }
    self->schedule_cleaning();
  });
}

Result<void> BrokerCore::close() {
  if (closed_.exchange(true)) return {};
  scheduler_.stop();
  hub_.wake_everybody();
  if (!owner_) return {};
  {
    const std::lock_guard lock(services_mutex_);
    for (const auto& [name, service] : services_) service->close();
  }
  producer_ids_->close();  // the directory will be somebody else's
  Result<void> first;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, topic] : topics_) {
    for (const auto& partition : topic->partitions) {
      auto closed = partition->close();
      if (!closed && first) first = std::move(closed);
    }
  }
  if (first) first = save_checkpoints();
  lock_ = {};
  return first;
}

}  // namespace millrace::inline v0::engine
