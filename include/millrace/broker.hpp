#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <millrace/core/clock.hpp>
#include <millrace/core/result.hpp>
#include <millrace/flush.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::inline v0 {

namespace engine {
class BrokerCore;
struct TopicCore;
}  // namespace engine
namespace os {
class IoHooks;
}
template <typename K, typename V>
class Topic;
class Listener;
struct ListenOptions;

struct BrokerOptions {
  /// Make the directory if it is missing.
  bool create_if_missing = true;
  /// One thread for interval flushes, lingering batches, preallocation, retention and compaction.
  /// Without it call Broker::run_pending().
  bool background_thread = true;
  /// Kafka's log.retention.check.interval.ms.
  std::chrono::milliseconds retention_check_interval = std::chrono::minutes(5);
  /// Null: the machine's clocks. Must outlive the broker.
  const Clock* clock = nullptr;
  /// Watches and upsets system calls, for tests; see testing/. Must outlive the broker.
  os::IoHooks* io_hooks = nullptr;
  /// Told when background work fails that no call waits for: retention, compaction, removing files,
  /// interval flushes, syncing sealed segments. The error names the topic-partition; it comes again
  /// each time the work is tried again and fails. Called on the background thread, or within
  /// run_pending(), and not after close(); must be quick and must not call the broker.
  std::function<void(const Error&)> on_background_error = {};
};

/// A topic's settings by name: Kafka's topic configs and millrace's own; `millrace topic describe`
/// lists them all.
using TopicSettings = std::map<std::string, std::string, std::less<>>;

struct TopicOptions {
  /// Of a new topic: 1 if not given. Of an existing one: must be what it has, if given.
  std::optional<std::int32_t> partitions = {};
  /// When records are made durable, from the next append on: a new topic's policy, or an existing
  /// one's from now on (what was appended before is flushed). Remembered in the topic's settings;
  /// of your own policy only a built-in one like it, so give it again whenever you open the broker.
  /// Not given: what the topic has, flush::before_ack for a new one.
  std::optional<flush::Any> flush = {};
  /// Settings of a new topic; for an existing one use Broker::alter_topic().
  TopicSettings settings = {};
  /// False: unknown_topic instead of a new topic.
  bool create_if_missing = true;
};

/// What is known of a topic.
struct TopicInfo {
  std::string name;
  std::int32_t partitions = 0;
  TopicSettings settings;  ///< those that were set
};

/// What opening found of one partition.
struct PartitionRecoveryInfo {
  std::string topic;
  PartitionId partition = 0;
  std::string how;  ///< "clean", "same_run" or "scanned", see docs/durability.md
  Offset log_start_offset;
  Offset log_end_offset;
  std::uint64_t scanned_bytes = 0;    ///< batches that were read and checked
  std::uint64_t truncated_bytes = 0;  ///< unacknowledged bytes cut off behind the end
  std::vector<OffsetRange> damaged;   ///< once durable, not readable any more
  std::chrono::microseconds took{0};
};

/// The topics of one data directory, in this process. A cheap handle: copies share the broker,
/// which closes when the last copy, topic, producer and consumer is gone, or by close().
/// Thread-safe.
class Broker {
 public:
  /// Opens `path`, creates or recovers what is there, and becomes its owner until close() or the
  /// end of the process. ":memory:" is a fresh broker without a directory, with the same semantics.
  /// Errors: directory_locked (names the holder), foreign_directory, newer_format, corrupt_data,
  /// no_space (never for a directory that exists), read_only, io_error.
  static Result<Broker> open(std::string_view path, const BrokerOptions& options = {});

  /// Reads a directory that another process owns, or that nobody does, through its maps. Any number
  /// of processes may. What changes something answers read_only.
  static Result<Broker> attach(std::string_view path, const BrokerOptions& options = {});

  /// A topic, created if it is missing. K and V need a Serde; K may be std::optional.
  template <typename K, typename V>
  Result<Topic<K, V>> topic(std::string_view name, const TopicOptions& options = {}) const {
    MILLRACE_TRY(auto core, open_topic(name, options));
    return Topic<K, V>(*this, std::move(core));
  }

  /// invalid_topic, topic_exists, invalid_argument (settings).
  Result<void> create_topic(std::string_view name, const TopicOptions& options = {}) const;
  /// In alphabetical order.
  Result<std::vector<TopicInfo>> topics() const;
  Result<TopicInfo> describe_topic(std::string_view name) const;
  /// Sets settings, or with an empty value resets them to their default. They hold from the next
  /// append, roll or cleaning on. Those of the flush policy ("millrace.flush.policy",
  /// "flush.messages", "flush.ms") replace the one that the topic has, your own too, and flush what
  /// was appended before; other settings leave it alone. Errors: unknown_topic, invalid_argument,
  /// no_space, io_error; the last one and log_failed may also say that the settings are stored but
  /// a partition could not be flushed.
  Result<void> alter_topic(std::string_view name, const TopicSettings& changes) const;
  /// `total` must be more than there are. Keys may then map to other partitions.
  Result<void> add_partitions(std::string_view name, std::int32_t total) const;
  /// Removes the topic, its files and groups' offsets for it. What is being read stays readable.
  Result<void> delete_topic(std::string_view name) const;

  /// Lets Kafka clients in; ready for them when it returns. Include <millrace/listener.hpp>, link
  /// millrace::net. Errors: invalid_argument (an option, an address, TLS files), io_error (the
  /// address cannot be had), read_only for an attachment.
  Result<Listener> listen(const ListenOptions& options) const;

  /// What opening found, for each partition that was not empty.
  std::vector<PartitionRecoveryInfo> recovery_report() const;
  bool is_attached() const noexcept;
  const std::string& path() const noexcept;

  /// Does the background work that is due, on this thread: needed only without a background thread.
  /// Returns how many pieces of work ran.
  std::size_t run_pending() const;
  /// When run_pending() has something to do next; nothing if it has not.
  std::optional<Clock::Steady> next_pending() const;

  /// Flushes and closes everything, lets the directory go. The error says what was not durable.
  /// Later calls on its topics, producers and consumers answer `closed`.
  Result<void> close() const;

  const std::shared_ptr<engine::BrokerCore>& core() const noexcept { return core_; }

 private:
  explicit Broker(std::shared_ptr<engine::BrokerCore> core) : core_(std::move(core)) {}
  Result<std::shared_ptr<const engine::TopicCore>> open_topic(std::string_view name,
                                                              const TopicOptions& options) const;
  std::shared_ptr<engine::BrokerCore> core_;
};

}  // namespace millrace::inline v0
