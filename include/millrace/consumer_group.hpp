#pragma once
#include <millrace/consumer.hpp>
#include <millrace/coordinator/assignor.hpp>
#include <millrace/group_run.hpp>
#include <millrace/subscription.hpp>
#include <optional>
#include <string>

namespace millrace::inline v0 {

class Transaction;

/// How partitions are divided among the members of a group; see coordinator/assignor.hpp for those
/// that there are, and for how to write your own.
using Assignor = coordinator::Assignor;

/// Told on the thread that polls, within poll() or leave(), with the partitions concerned.
struct RebalanceListener {
  using Partitions = std::vector<TopicPartition>;
  /// To be given up: what was read of them may still be committed.
  std::function<void(const Partitions&)> revoked = {};
  /// To be read from now on; positions are set already, and may be moved by seek().
  std::function<void(const Partitions&)> assigned = {};
  /// Gone without warning: others may be reading them already and a commit is refused, or their
  /// topic was deleted.
  std::function<void(const Partitions&)> lost = {};
};

/// Names in brackets are Kafka's.
struct GroupOptions {
  /// How members read; auto_offset_reset says where a group begins that has committed nothing yet.
  ConsumerOptions consumer = {};
  /// Commit what earlier polls returned, at most so often, when poll() is called, and before
  /// partitions are given up [auto.commit.interval.ms]. Nothing: only commit() does
  /// [enable.auto.commit=false].
  std::optional<std::chrono::milliseconds> auto_commit_interval = std::chrono::seconds(5);
  /// A member that does not poll for so long is taken for dead, and its partitions go to others
  /// [max.poll.interval.ms]. There is no session timeout besides: the process is the session.
  std::chrono::milliseconds max_poll_interval = std::chrono::minutes(5);
  /// Of a static member: it may stop and come back without a rebalance [group.instance.id].
  std::optional<std::string> instance_id = {};
  /// In order of preference; members of a group need one in common
  /// [partition.assignment.strategy]. They must outlive the group.
  std::vector<const Assignor*> assignors = {&coordinator::cooperative_sticky_assignor()};
  RebalanceListener listener = {};
};

/// What a group has committed for a partition.
struct Committed {
  Offset offset;  ///< of the next record to be read
  std::string metadata;
};

/// A member of a group that reads bytes; see GroupConsumer. For one thread at a time, interrupt()
/// apart.
class GroupConsumerCore {
 public:
  static Result<GroupConsumerCore> join(const Broker& broker, const Subscription& subscription,
                                        const std::string& group, const GroupOptions& options);
  GroupConsumerCore(GroupConsumerCore&&) noexcept;
  GroupConsumerCore& operator=(GroupConsumerCore&&) noexcept;
  ~GroupConsumerCore();

  Result<FetchedRecords> poll(std::chrono::nanoseconds wait);
  Result<void> commit();
  Result<void> commit(const TopicPartition& partition, Offset offset, std::string metadata);
  void commit_later(std::function<void(const Result<void>&)> done);
  Result<void> send_offsets_to(Transaction& transaction);
  Result<void> rewind();
  Result<std::optional<Committed>> committed(const TopicPartition& partition) const;
  Result<void> seek(const TopicPartition& partition, Offset offset);
  Result<void> seek_to_begin(const TopicPartition& partition);
  Result<void> seek_to_end(const TopicPartition& partition);
  Result<void> seek_to_time(const TopicPartition& partition, Timestamp time);
  Result<void> leave();
  /// Whether auto-commit is on.
  bool commits_by_itself() const noexcept;
  /// Has what was read committed before partitions pass to others, auto-commit or not.
  void commit_before_rebalances() noexcept;
  ConsumerCore& consumer() noexcept;
  const ConsumerCore& consumer() const noexcept;
  void interrupt() noexcept;

  struct Impl;

 private:
  explicit GroupConsumerCore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A member of a consumer group: reads the partitions that the group gives it, from where the group
/// left off. For one thread at a time; interrupt() from any. It takes part in rebalances within
/// poll(), so poll at least every max_poll_interval.
///
/// A record counts as read when the poll after the one that returned it begins. Commit then, or
/// leave it to auto-commit: nothing is lost, and after a crash what was not committed is read again
/// (at least once). Commit before you work on what poll() returned: nothing is read twice (at most
/// once).
template <typename K, typename V>
class GroupConsumer {
 public:
  explicit GroupConsumer(GroupConsumerCore core) : core_(std::move(core)) {}

  /// The next records of the member's partitions; none if nothing came within `wait`, while the
  /// group is being rebalanced, by interrupt(), or while memory_bytes is used up. Errors: those
  /// of Consumer::poll; offset_out_of_range with OffsetReset::none, at each poll until every
  /// partition without a committed offset got a position by seek() or commit(); fenced_instance,
  /// inconsistent_protocol, invalid_argument, group_full, after which the member is out for good;
  /// no_space, io_error if the group's state cannot be written, after which the next poll tries
  /// again.
  Result<Records<K, V>> poll(std::chrono::nanoseconds wait) {
    MILLRACE_TRY(auto fetched, core_.poll(wait));
    return Records<K, V>(std::move(fetched));
  }

  /// Commits the positions: everything that polls have returned so far. Durable when it returns.
  /// Errors: unknown_member, illegal_generation, rebalance_in_progress, fenced_instance: the
  /// partitions are, or may be, another member's, which reads again what was not committed;
  /// no_space, io_error.
  Result<void> commit() { return core_.commit(); }
  /// Commits one partition's offset (of the next record to be read), with a note of up to 4096
  /// bytes.
  Result<void> commit(const TopicPartition& partition, Offset offset, std::string metadata = {}) {
    return core_.commit(partition, offset, std::move(metadata));
  }
  /// Like commit(), but returns at once; `done`, if given, is called on the broker's background
  /// thread.
  void commit_later(std::function<void(const Result<void>&)> done = {}) {
    core_.commit_later(std::move(done));
  }
  /// Commits as part of a transaction what polls have returned so far: it counts once that is
  /// committed. Auto-commit must be off: invalid_argument. Errors besides: those of commit(), and
  /// producer_fenced, concurrent_transactions.
  Result<void> send_offsets_to(Transaction& transaction) {
    return core_.send_offsets_to(transaction);
  }
  /// Goes back to what the group has committed, as after a transaction that was aborted: the next
  /// poll returns that once more.
  Result<void> rewind() { return core_.rewind(); }
  /// What the group committed last for a partition, whoever reads it.
  Result<std::optional<Committed>> committed(const TopicPartition& partition) const {
    return core_.committed(partition);
  }
  /// How many offsets of an assigned partition are still to be read.
  Result<std::int64_t> lag(const TopicPartition& partition) const {
    return core_.consumer().lag(partition);
  }

  std::vector<TopicPartition> assignment() const { return core_.consumer().assignment(); }
  Result<Offset> position(const TopicPartition& partition) const {
    return core_.consumer().position(partition);
  }
  /// As those of Consumer, for assigned partitions.
  Result<void> seek(const TopicPartition& partition, Offset offset) {
    return core_.seek(partition, offset);
  }
  Result<void> seek_to_begin(const TopicPartition& partition) {
    return core_.seek_to_begin(partition);
  }
  Result<void> seek_to_end(const TopicPartition& partition) { return core_.seek_to_end(partition); }
  Result<void> seek_to_time(const TopicPartition& partition, Timestamp time) {
    return core_.seek_to_time(partition, time);
  }
  Result<void> rewind(const TopicPartition& partition, std::int64_t count) {
    return core_.consumer().seek_by(partition, -count);
  }
  Result<void> skip(const TopicPartition& partition, std::int64_t count) {
    return core_.consumer().seek_by(partition, count);
  }
  Result<void> pause(const TopicPartition& partition) { return core_.consumer().pause(partition); }
  Result<void> resume(const TopicPartition& partition) {
    return core_.consumer().resume(partition);
  }

  /// Commits if auto-commit is on, what the last poll() returned included, and leaves: others take
  /// over at once. Not for static members, which may come back: they just stop. The destructor does
  /// the same without telling what went wrong, and without what the last poll() returned: it may be
  /// there because work on that failed.
  Result<void> leave() { return core_.leave(); }
  /// Makes a poll that waits, or the next one, return at once. From any thread.
  void interrupt() noexcept { core_.interrupt(); }

 private:
  GroupConsumerCore core_;
};

/// A group of consumers that share topics. Members of the same group id divide the partitions among
/// them; groups of different ids each get everything. Thread-safe.
template <typename K, typename V>
class ConsumerGroup {
 public:
  ConsumerGroup(const Topic<K, V>& topic, std::string group, GroupOptions options = {})
      : ConsumerGroup(topic.broker(), Subscription::topics({topic.name()}), std::move(group),
                      std::move(options)) {}
  /// Of several topics, whose records all have keys K and values V; Record::topic() says which one
  /// a record is of. Members of a group may subscribe to different topics.
  ConsumerGroup(Broker broker, Subscription subscription, std::string group,
                GroupOptions options = {})
      : broker_(std::move(broker)),
        subscription_(std::move(subscription)),
        group_(std::move(group)),
        options_(std::move(options)) {}

  const std::string& id() const noexcept { return group_; }
  /// A new member. It has partitions once it has polled. Errors: invalid_argument (an empty group
  /// id, a max_poll_interval of less than 1 ms or more than 30 minutes, a pattern that is none),
  /// invalid_topic, read_only (an attachment), no_space, io_error.
  Result<GroupConsumer<K, V>> join() const {
    MILLRACE_TRY(auto core, GroupConsumerCore::join(broker_, subscription_, group_, options_));
    return GroupConsumer<K, V>(std::move(core));
  }

  /// Reads with `threads` members, each on a thread of its own (the caller's is one), and gives
  /// each record to `handler(record)`, until `stop` is requested or something fails. At least once:
  /// a record is committed after `handler` returned from it, every auto_commit_interval (after each
  /// poll if that is not given), before partitions pass to others, and at the end.
  ///
  /// `handler` returns nothing or a Result<void>, is called by several threads at once with records
  /// of different partitions, in order within each partition, and must not throw. An error that it
  /// returns ends the run: that record and those behind it in its partition are not committed, and
  /// come again in the next run. When stopped every thread finishes the record at hand, commits,
  /// and leaves the group. Members of a static group add "-0", "-1"... to instance_id.
  ///
  /// Success if stopped; else the first error: of `handler`, of join(), poll() or commit().
  /// invalid_argument if `threads` is less than 1.
  template <typename Handler>
  Result<void> run(int threads, Handler handler, const std::stop_token& stop = {}) const {
    const auto join = [this, threads](int thread) {
      GroupOptions options = options_;
      if (options.instance_id && threads > 1) *options.instance_id += "-" + std::to_string(thread);
      return GroupConsumerCore::join(broker_, subscription_, group_, options);
    };
    return detail::run_members(threads, join, detail::make_handler<K, V>(handler), stop);
  }

 private:
  Broker broker_;
  Subscription subscription_;
  std::string group_;
  GroupOptions options_;
};

}  // namespace millrace::inline v0
