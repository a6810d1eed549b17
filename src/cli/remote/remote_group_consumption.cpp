#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "remote_consumption.hpp"

namespace millrace::inline v0::cli::remote {
namespace {

using client::GroupMember;

constexpr std::chrono::seconds session_timeout(45);
// A join waits for all members: with a longer one this program could not be stopped meanwhile.
constexpr std::chrono::seconds rebalance_timeout(60);

void wait(std::chrono::milliseconds time, const StopSignals& stop) {
  pollfd wanted{stop.descriptor(), POLLIN, 0};
  static_cast<void>(::poll(&wanted, 1, static_cast<int>(time.count())));
}

coordinator::MemberSession::Options session_options(const GroupMembership& membership) {
  coordinator::MemberSession::Options options;
  options.group = membership.group;
  options.instance_id = membership.instance_id;
  options.client_id = "millrace";
  options.session_timeout = session_timeout;
  options.rebalance_timeout = rebalance_timeout;
  options.assignors =
      membership.assignors.empty() ? GroupOptions().assignors : membership.assignors;
  return options;
}

}  // namespace

Result<void> Consumption::run_as_member(const GroupMembership& membership) {
  MILLRACE_CHECK(begin());
  GroupMember member(cluster_, session_options(membership));
  member.subscribe({options_.topic});
  while (!is_done()) {
    MILLRACE_CHECK(advance(member, membership));
    if (fetcher_->positions().empty()) {
      if (options_.exit_at_end && member.is_member()) break;
      MILLRACE_CHECK(output_.flush());
      wait(member.heartbeat_interval(), stop_);
      continue;
    }
    MILLRACE_TRY(const bool goes_on, print_next());
    if (!goes_on) break;
    MILLRACE_CHECK(output_.flush());
    if (is_done()) break;
    note_positions();
    MILLRACE_CHECK(commit(member));
  }
  MILLRACE_CHECK(output_.flush());
  // What nobody read was not delivered.
  if (!output_.reader_is_gone()) MILLRACE_CHECK(commit(member));
  return member.leave();
}

/// What is behind the last record that was printed is markers, or not to be seen.
void Consumption::note_positions() {
  if (options_.exit_at_end) return;
  for (const auto& [id, position] : fetcher_->positions()) {
    const TopicPartition partition{options_.topic, id};
    if (begins_.at(partition) < position) printed_up_to_[partition] = position;
    begins_[partition] = position;
  }
}

Result<void> Consumption::commit(GroupMember& member) {
  if (printed_up_to_.empty()) return {};
  const auto offsets = std::exchange(printed_up_to_, {});
  auto done = member.commit(offsets);
  // Who has them now reads them again; that is what a rebalance costs.
  const bool is_out = !done && (done.error().code() == Errc::rebalance_in_progress ||
                                done.error().code() == Errc::illegal_generation ||
                                done.error().code() == Errc::unknown_member);
  return is_out ? Result<void>() : done;
}

Result<void> Consumption::advance(GroupMember& member, const GroupMembership& membership) {
  const auto commit_first = [&] { static_cast<void>(commit(member)); };
  for (;;) {
    MILLRACE_TRY(const auto change, member.advance(commit_first));
    if (change.empty()) return {};
    if (!change.revoked.empty()) MILLRACE_CHECK(commit(member));
    for (const auto& gone : {change.lost, change.revoked}) {
      for (const TopicPartition& partition : gone) {
        fetcher_->leave(partition.partition);
        ends_.erase(partition.partition);
        printed_up_to_.erase(partition);
      }
    }
    if (!change.assigned.empty()) MILLRACE_CHECK(take(member, change.assigned, membership));
  }
}

/// Partitions may have been added since.
Result<void> Consumption::follow(const std::vector<TopicPartition>& assigned) {
  const bool knows_all = std::all_of(assigned.begin(), assigned.end(), [&](const auto& one) {
    return one.partition < fetcher_->partition_count();
  });
  if (knows_all) return {};
  const auto positions = fetcher_->positions();
  MILLRACE_CHECK(begin());
  for (const auto& [id, position] : positions) fetcher_->seek(id, position);
  return {};
}

Result<void> Consumption::take(GroupMember& member, const std::vector<TopicPartition>& assigned,
                               const GroupMembership& membership) {
  using client::Fetcher;
  MILLRACE_CHECK(follow(assigned));
  MILLRACE_TRY(const auto committed, member.committed(assigned));
  const OffsetReset reset = membership.offset_reset;
  for (const TopicPartition& partition : assigned) {
    const PartitionId id = partition.partition;
    const auto known = committed.find(partition);
    if (known != committed.end()) {
      fetcher_->seek(id, known->second.offset);
    } else if (reset == OffsetReset::none) {
      return Error(Errc::offset_out_of_range,
                   fmt::format("group {} has committed no offset for it, and --offset-reset is "
                               "none: choose earliest or latest",
                               membership.group))
          .at(partition.topic, id);
    } else {
      const std::int64_t where = reset == OffsetReset::earliest ? Fetcher::at_begin
                                 : reset.age()
                                     ? (system_clock().now() - *reset.age()).milliseconds()
                                     : Fetcher::at_end;
      MILLRACE_TRY(const auto found, fetcher_->find(id, where));
      MILLRACE_TRY(const auto end, fetcher_->find(id, Fetcher::at_end));
      fetcher_->seek(id, found.value_or(end.value_or(Offset{})));
    }
    begins_[partition] = fetcher_->position(id);
    if (!options_.exit_at_end) continue;
    MILLRACE_TRY(const auto end, fetcher_->find(id, Fetcher::at_end));
    ends_[id] = end.value_or(Offset{});
  }
  return mark_finished();
}

}  // namespace millrace::inline v0::cli::remote
