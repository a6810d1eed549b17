#pragma once
#include <deque>
#include <map>
#include <memory>
#include <millrace/coordinator/consumer_protocol.hpp>
#include <millrace/coordinator/group_coordinator.hpp>
#include <millrace/coordinator/member_session.hpp>
#include <random>
#include <set>

namespace millrace_test {

namespace coordinator = millrace::coordinator;
using coordinator::TopicPartition;
using Steady = millrace::Clock::Steady;

/// What may go wrong on purpose in a GroupModel, to see that its checks notice.
enum class Sabotage { none, commit_ahead, ignore_fencing, share_partition, forget_commits };

/// Random members of one group against one coordinator, on a clock and a disk of their own: they
/// join, read, commit, leave, stall and die, writes fail, the coordinator starts anew, topics grow.
/// problems() lists what must never happen.
class GroupModel {
 public:
  explicit GroupModel(std::uint64_t seed, Sabotage sabotage = Sabotage::none);
  /// `steps` random steps, then none goes wrong any more and everything is read to its end.
  void run(int steps);
  const std::vector<std::string>& problems() const noexcept { return problems_; }

 private:
  struct Peer {
    std::unique_ptr<coordinator::MemberSession> session;
    std::map<TopicPartition, std::int64_t> positions;
    std::map<TopicPartition, std::int64_t> committed;  ///< as it last was told
    int number = 0;
    int stalled_for = 0;
    Steady last_heartbeat{};
    std::optional<coordinator::Token> commit;
  };
  struct Partition {
    std::int64_t end = 0;
    std::vector<bool> delivered;
    std::int64_t committed = 0;  ///< what was acknowledged
  };

  int roll(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }
  coordinator::Group::Now now() const;
  void fail(std::string what) { problems_.push_back(std::move(what)); }
  void make_coordinator();
  void restart();
  void add_peer();
  void remove_peer(bool leaves);
  void drive(Peer& peer);
  void note_change(Peer& peer, const coordinator::OwnershipChange& change);
  void note_assignment(const Peer& peer);
  void read(Peer& peer);
  void commit(Peer& peer, bool waits);
  void heartbeat(Peer& peer);
  void take(coordinator::GroupActions actions);
  void end_write(bool may_fail);
  void deliver_reply(bool all);
  void grow_topic();
  void pass(int milliseconds);
  void step();
  void settle();
  void check_settled();
  bool is_current(const Peer& peer) const;
  std::int64_t committed_for(const TopicPartition& partition) const;
  coordinator::MemberSession::CountSource counts() const;

  std::mt19937_64 random_;
  const Sabotage sabotage_;
  bool cooperative_;
  std::int64_t milliseconds_ = 0;
  std::uint64_t last_token_ = 0;
  std::uint64_t last_id_ = 0;
  int last_number_ = 0;
  coordinator::GroupCoordinatorOptions options_;
  std::unique_ptr<coordinator::GroupCoordinator> coordinator_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::map<coordinator::Token, Peer*> waiting_;
  std::deque<std::pair<coordinator::Token, coordinator::JoinReply>> joins_;
  std::deque<std::pair<coordinator::Token, coordinator::SyncReply>> syncs_;
  struct CommitUnderWay {
    Peer* peer;
    std::map<TopicPartition, std::int64_t> offsets;
  };
  std::map<coordinator::Token, CommitUnderWay> commits_;
  std::deque<coordinator::Write> writes_;
  std::vector<coordinator::InternalRecord> log_;
  std::map<std::string, int> topics_;
  std::map<TopicPartition, Partition> partitions_;
  std::map<std::pair<std::int32_t, TopicPartition>, int> claims_;  ///< generation: peer's number
  std::vector<std::string> problems_;
};

}  // namespace millrace_test
