#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <millrace/engine/partition.hpp>
#include <millrace/engine/producer_ids.hpp>
#include <millrace/engine/topic_registry.hpp>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace millrace::inline v0::engine {

struct BrokerCoreOptions {
  bool create = true;             ///< make the directory if it is missing
  bool background_thread = true;  ///< false: the user calls run_pending()
  const Clock* clock = nullptr;   ///< null: the machine's
  os::IoHooks* io_hooks = nullptr;
  std::chrono::milliseconds retention_check_interval = std::chrono::minutes(5);
  Scheduler::FailureHandler on_background_error = {};
};

/// One topic: its partitions, ours or another process's.
struct TopicCore {
  TopicEntry entry;
  std::vector<std::shared_ptr<PartitionReader>> readers;
  std::vector<PartitionPtr> partitions;  ///< empty if attached
};
using TopicPtr = std::shared_ptr<const TopicCore>;

/// What opening a partition found, for the recovery report.
struct PartitionRecovery {
  std::string topic;
  PartitionId partition;
  storage::RecoveryReport report;
};

/// Something of a higher floor that lives and ends with a broker, for example its consumer groups.
class BrokerService {
 public:
  virtual ~BrokerService() = default;
  /// The broker is being closed; its partitions are still open.
  virtual void close() {}
};
using BrokerServicePtr = std::shared_ptr<BrokerService>;

/// All topics of one data directory. Thread-safe. Owner or attachment: attachments refuse changes
/// with read_only and see new topics when they are asked for.
class BrokerCore : public std::enable_shared_from_this<BrokerCore> {
 public:
  /// `path` may be ":memory:". directory_locked names the holder if somebody owns the directory.
  static Result<std::shared_ptr<BrokerCore>> open(std::string_view path,
                                                  const BrokerCoreOptions& options);
  static Result<std::shared_ptr<BrokerCore>> attach(std::string_view path,
                                                    const BrokerCoreOptions& options);
  ~BrokerCore();

  bool is_owner() const noexcept { return owner_; }
  const Clock& clock() const noexcept { return *clock_; }
  Scheduler& scheduler() noexcept { return scheduler_; }
  const WakeHub& hub() const noexcept { return hub_; }
  const std::string& path() const noexcept { return path_; }
  /// Of the directory, made with it; empty if it was lost.
  Result<std::string> cluster_id() const { return registry::load_cluster_id(directory_); }
  const std::vector<PartitionRecovery>& recovery() const noexcept { return recovery_; }

  Result<TopicPtr> create_topic(std::string_view name, std::int32_t partitions,
                                const ConfigMap& config, FlushPolicyPtr policy = nullptr);
  /// unknown_topic, naming similar ones, if it is not there.
  Result<TopicPtr> topic(std::string_view name);
  Result<std::vector<TopicPtr>> topics();
  /// Changes whenever a topic is made, gets partitions or goes; sleeping readers are woken then.
  std::uint64_t topics_version() const noexcept {
    return topics_version_.load(std::memory_order_acquire);
  }
  /// Sets (or with an empty value resets) settings. The flush policy stays unless `changes` name a
  /// setting of it or `policy` is given, which then is what they stand for. If what was appended
  /// before cannot be flushed, that is the answer; the settings are stored all the same.
  Result<void> alter_topic(std::string_view name, const ConfigMap& changes,
                           FlushPolicyPtr policy = nullptr);
  /// `partitions` is the new total, larger than now.
  Result<void> add_partitions(std::string_view name, std::int32_t partitions);
  Result<void> delete_topic(std::string_view name);

  /// The service of that name, made when it is first asked for; it ends with the broker, which
  /// therefore outlives it. Errors are those of `make`; read_only for an attachment.
  Result<BrokerServicePtr> service(const std::string& name,
                                   const std::function<Result<BrokerServicePtr>()>& make);

  /// For a producer of batches: an id that is its own until it gives it back. The errors of
  /// ProducerIds::take(); read_only for an attachment.
  Result<record::ProducerIdentity> take_producer_id();
  /// See ProducerIds::note().
  void note_producer_id(std::int64_t id);
  /// For who will not append under `identity` any more.
  void give_back(const record::ProducerIdentity& identity);

  /// Runs due background work on the caller's thread; returns how many pieces ran.
  std::size_t run_pending();
  /// Flushes and closes all; the first error that says what was not durable.
  Result<void> close();
  bool is_closed() const noexcept { return closed_.load(); }

 private:
  BrokerCore(std::string path, const BrokerCoreOptions& options, bool owner);
  Result<void> open_directory();
  Result<void> load();
  Result<TopicPtr> open_topic(TopicEntry entry, FlushPolicyPtr policy);
  Result<std::shared_ptr<PartitionReader>> attach_partition(const std::string& topic,
                                                            PartitionId id);
  Result<TopicPtr> find_locked(std::string_view name) const;
  Result<void> refresh();
  Result<void> require_owner(std::string_view doing) const;
  Result<void> save();
  void announce_topics();
  std::int64_t largest_producer_id();
  storage::RecoveryHints hints_for(std::string_view topic, PartitionId id) const;
  Result<void> load_checkpoints();
  Result<void> save_checkpoints();
  void schedule_cleaning();

  const std::string path_;
  const BrokerCoreOptions options_;
  const bool owner_;
  const Clock* clock_;
  os::DirectoryPtr directory_;
  os::FileLock lock_;
  WakeHub hub_;
  Scheduler scheduler_;
  std::vector<PartitionRecovery> recovery_;
  std::map<std::string, storage::RecoveryHints, std::less<>> hints_;
  std::mutex mutex_;
  std::map<std::string, TopicPtr, std::less<>> topics_;
  std::atomic<bool> closed_{true};  // until it is open
  std::atomic<std::uint64_t> topics_version_{0};
  std::optional<ProducerIds> producer_ids_;  // of the owner; its lock comes before mutex_
  std::mutex services_mutex_;                // taken before mutex_
  std::map<std::string, BrokerServicePtr> services_;
};

}  // namespace millrace::inline v0::engine
