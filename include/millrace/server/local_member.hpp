#pragma once
#include <memory>
#include <millrace/coordinator/group_access.hpp>
#include <millrace/coordinator/member_session.hpp>
#include <millrace/engine/broker_core.hpp>

namespace millrace::inline v0::server {

/// A member of a group that reads through this process's maps; the coordinator may be in another.
/// For one thread at a time, which drives it by advance(); it needs no thread of its own and sends
/// no heartbeats while there is nothing to say but that it lives, which it does by advancing every
/// third of its session timeout.
class LocalMember {
 public:
  using Milliseconds = coordinator::Milliseconds;

  /// `wake` is called on any thread when there is something to advance for; it must be quick. The
  /// broker must outlive the member.
  LocalMember(std::shared_ptr<coordinator::GroupAccess> service, engine::BrokerCore& broker,
              coordinator::MemberSession::Options options, std::function<void()> wake);
  LocalMember(const LocalMember&) = delete;
  LocalMember& operator=(const LocalMember&) = delete;
  /// Does not leave: as if the member had died.
  ~LocalMember();

  void subscribe(std::vector<std::string> topics) { session_.subscribe(std::move(topics)); }
  /// To all topics that match, now and later.
  void subscribe_matching(std::function<bool(const std::string&)> matches);
  /// Has `call` called within advance(), each time before a member joins again: the last time that
  /// commits in its generation are sure to be taken. It must not call this object.
  void before_rejoin(std::function<void()> call) { before_rejoin_ = std::move(call); }
  /// Goes on as far as it can without waiting for other members. What changed must be acted upon
  /// before the next call; call again until nothing does.
  coordinator::OwnershipChange advance();
  /// What went wrong since it was last asked; failed() if it cannot go on.
  std::optional<Error> take_error() { return session_.take_error(); }
  bool has_failed() const noexcept {
    return session_.state() == coordinator::MemberSession::State::failed;
  }
  const coordinator::MemberSession& session() const noexcept { return session_; }
  /// How long it may be left alone.
  Milliseconds heartbeat_interval() const noexcept { return session_timeout_ / 3; }

  /// Durable when it returns; a refusal is heeded by the next advance().
  Result<void> commit(std::vector<coordinator::OffsetToCommit> offsets);
  /// What commit() would ask for, for who asks in another way.
  Result<coordinator::CommitRequest> commit_request(
      std::vector<coordinator::OffsetToCommit> offsets) const;
  /// Returns at once. `done` comes on the broker's background thread.
  void commit_later(std::vector<coordinator::OffsetToCommit> offsets,
                    std::function<void(const Result<void>&)> done);
  /// Succeeds too if the group has no such member any more.
  Result<void> leave();

 private:
  struct Mailbox;

  void read_mail();
  void keep_alive();
  void notice_topics();
  std::int32_t partitions_of(const std::string& topic) const;

  std::shared_ptr<coordinator::GroupAccess> service_;
  engine::BrokerCore& broker_;
  const std::string group_;
  const Milliseconds session_timeout_;
  coordinator::MemberSession session_;
  std::shared_ptr<Mailbox> mailbox_;
  Clock::Steady last_heartbeat_{};
  std::uint64_t topics_version_ = 0;
  std::function<bool(const std::string&)> matches_;
  std::function<void()> before_rejoin_;
};

}  // namespace millrace::inline v0::server
