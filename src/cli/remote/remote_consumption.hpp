#pragma once
#include <millrace/client/fetcher.hpp>
#include <millrace/client/group_member.hpp>

#include "../consumption.hpp"
#include "../group_consumption.hpp"

namespace millrace::inline v0::cli::remote {

/// Reads a topic of a broker that runs as ConsumeOptions say, alone or as a member of a group, and
/// prints it.
class Consumption {
 public:
  Consumption(client::Cluster& cluster, const ConsumeOptions& options, const StopSignals& stop)
      : cluster_(cluster), options_(options), stop_(stop), output_(stop.descriptor()) {}

  Result<void> run();
  /// Commits what was printed.
  Result<void> run_as_member(const GroupMembership& membership);

 private:
  Result<void> begin();
  Result<void> choose_partitions();
  Result<Offset> start_of(PartitionId id);
  Result<void> look_for_partitions();
  /// Prints what is there, or waits for some; false at the end.
  Result<bool> print_next();
  void print(const TopicPartition& partition, const record::RecordView& record);
  Result<void> step_over(const Error& error);
  Result<void> mark_finished();
  bool is_done() const;
  bool is_full() const { return options_.max_records && printed_ >= *options_.max_records; }

  Result<void> advance(client::GroupMember& member, const GroupMembership& membership);
  Result<void> take(client::GroupMember& member, const std::vector<TopicPartition>& assigned,
                    const GroupMembership& membership);
  Result<void> follow(const std::vector<TopicPartition>& assigned);
  void note_positions();
  Result<void> commit(client::GroupMember& member);

  client::Cluster& cluster_;
  const ConsumeOptions& options_;
  const StopSignals& stop_;
  std::optional<client::Fetcher> fetcher_;
  std::map<PartitionId, Offset> ends_;  // with exit_at_end: of those not read up to there
  std::map<TopicPartition, Offset> printed_up_to_;     // not committed yet
  std::map<TopicPartition, Offset> begins_;            // of what is read next, as a member
  std::chrono::steady_clock::time_point next_look_{};  // for new partitions
  std::uint64_t printed_ = 0;
  Output output_;
};

}  // namespace millrace::inline v0::cli::remote
