#pragma once
#include <millrace/client/cluster.hpp>
#include <millrace/client/group_calls.hpp>
#include <millrace/coordinator/member_session.hpp>

namespace millrace::inline v0::client {

/// A member of a group of a broker that runs, driven by one thread, which blocks while others join.
/// What keeps it a member is that advance() is called more often than its session timeout.
class GroupMember {
 public:
  using Milliseconds = coordinator::Milliseconds;

  /// `options.group` has a name; the cluster must outlive the member.
  GroupMember(Cluster& cluster, coordinator::MemberSession::Options options)
      : cluster_(cluster), options_(options), session_(std::move(options)) {}

  void subscribe(std::vector<std::string> topics) { session_.subscribe(std::move(topics)); }
  /// Says that it lives, if that is due, and joins if there is a reason to. `before_rejoin` is
  /// called before a member joins again. What changed must be acted upon before the next call;
  /// call again until nothing does. Errors are those that the member cannot get over.
  Result<coordinator::OwnershipChange> advance(const std::function<void()>& before_rejoin = {});
  /// How long it may be left alone.
  Milliseconds heartbeat_interval() const noexcept {
    constexpr Milliseconds usual(3000);  // [heartbeat.interval.ms]
    return std::min(usual, options_.session_timeout / 3);
  }
  bool is_member() const noexcept { return session_.is_member(); }

  /// Durable when it returns; a refusal is heeded by the next advance().
  Result<void> commit(const std::map<TopicPartition, Offset>& offsets);
  /// What the group has committed; an io_error while a transaction that is not over decides it.
  Result<std::map<TopicPartition, coordinator::CommittedOffset>> committed(
      const std::vector<TopicPartition>& partitions);
  Result<void> leave();

 private:
  using Clock = std::chrono::steady_clock;
  Result<Connection*> coordinator();
  Result<void> keep_alive();
  Result<void> ask(const coordinator::MemberSession::Request& request, Connection& coordinator);
  std::int32_t count_of(const std::string& topic);

  Cluster& cluster_;
  const coordinator::MemberSession::Options options_;
  coordinator::MemberSession session_;
  Connection* coordinator_ = nullptr;
  Clock::time_point last_heartbeat_{};
};

}  // namespace millrace::inline v0::client
