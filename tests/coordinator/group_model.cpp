#include "group_model.hpp"

namespace millrace_test {

using coordinator::GroupActions;
using coordinator::Token;
using millrace::Errc;
using millrace::Offset;
using std::chrono::milliseconds;

namespace {

constexpr int session_ms = 10'000;

std::string text_of(const TopicPartition& partition) {
  return partition.topic + "-" + std::to_string(partition.partition);
}

}  // namespace

GroupModel::GroupModel(std::uint64_t seed, Sabotage sabotage)
    : random_(seed), sabotage_(sabotage), cooperative_(roll(2) == 0) {
  topics_ = {{"a", 1 + roll(4)}, {"b", roll(3)}};
  make_coordinator();
}

coordinator::Group::Now GroupModel::now() const {
  return {Steady(std::chrono::hours(1)) + milliseconds(milliseconds_),
          millrace::Timestamp(1'700'000'000'000 + milliseconds_)};
}

void GroupModel::make_coordinator() {
  coordinator_ = std::make_unique<coordinator::GroupCoordinator>(
      options_, [this] { return std::to_string(++last_id_); });
}

coordinator::MemberSession::CountSource GroupModel::counts() const {
  return [this](const std::string& topic) {
    const auto found = topics_.find(topic);
    return found == topics_.end() ? 0 : found->second;
  };
}

std::int64_t GroupModel::committed_for(const TopicPartition& partition) const {
  const auto* found = coordinator_->committed("g", partition.topic, partition.partition);
  return found == nullptr ? 0 : found->offset.value();
}

void GroupModel::add_peer() {
  auto peer = std::make_unique<Peer>();
  peer->number = ++last_number_;
  coordinator::MemberSession::Options options;
  options.group = "g";
  options.client_id = "p" + std::to_string(peer->number);
  options.session_timeout = milliseconds(session_ms);
  options.rebalance_timeout = milliseconds(session_ms);
  options.requires_member_id = roll(2) == 0;
  const auto& assignor = cooperative_   ? coordinator::cooperative_sticky_assignor()
                         : roll(2) == 0 ? coordinator::range_assignor()
                                        : coordinator::sticky_assignor();
  options.assignors = {&assignor};
  if (!cooperative_) options.assignors.push_back(&coordinator::round_robin_assignor());
  peer->session = std::make_unique<coordinator::MemberSession>(options);
  peer->session->subscribe(roll(4) == 0 ? std::vector<std::string>{"a"}
                                        : std::vector<std::string>{"a", "b"});
  peers_.push_back(std::move(peer));
}

void GroupModel::remove_peer(bool leaves) {
  if (peers_.empty()) return;
  const auto at = peers_.begin() + roll(static_cast<int>(peers_.size()));
  Peer* const peer = at->get();
  if (leaves && peer->session->is_member()) {
    commit(*peer, true);
    GroupActions actions;
    static_cast<void>(coordinator_->leave("g", peer->session->membership().member, now(), actions));
    take(std::move(actions));
  }
  std::erase_if(waiting_, [&](const auto& entry) { return entry.second == peer; });
  for (auto& [token, under_way] : commits_) {
    if (under_way.peer == peer) under_way.peer = nullptr;
  }
  peers_.erase(at);
}

/// Lets a member say what it has to say, until it waits or is content.
void GroupModel::drive(Peer& peer) {
  coordinator::MemberSession& session = *peer.session;
  session.check_counts(counts());
  for (int i = 0; i < 10; ++i) {
    note_change(peer, session.take_change());
    static_cast<void>(session.take_error());
    const auto request = session.next(counts());
    const Token token{++last_token_};
    GroupActions actions;
    if (const auto* join = std::get_if<coordinator::JoinRequest>(&request)) {
      waiting_[token] = &peer;
      coordinator_->join(*join, token, now(), actions);
    } else if (const auto* sync = std::get_if<coordinator::SyncRequest>(&request)) {
      waiting_[token] = &peer;
      coordinator_->sync(*sync, token, now(), actions);
    } else {
      const auto change = session.take_change();
      if (change.empty()) return;
      note_change(peer, change);
    }
    take(std::move(actions));
    peer.last_heartbeat = now().steady;
  }
}

void GroupModel::note_change(Peer& peer, const coordinator::OwnershipChange& change) {
  if (!change.revoked.empty()) commit(peer, true);
  for (const auto& gone : change.revoked) peer.positions.erase(gone);
  for (const auto& gone : change.lost) peer.positions.erase(gone);
  for (const auto& added : change.assigned) peer.positions[added] = committed_for(added);
  note_assignment(peer);
}

void GroupModel::note_assignment(const Peer& peer) {
  const std::int32_t generation = peer.session->owned_generation();
  if (generation < 0) return;
  for (const auto& partition : peer.session->owned()) {
    const auto [claim, is_new] = claims_.try_emplace({generation, partition}, peer.number);
    if (!is_new && claim->second != peer.number) {
      fail("members " + std::to_string(claim->second) + " and " + std::to_string(peer.number) +
           " both own " + text_of(partition) + " in generation " + std::to_string(generation));
    }
  }
}

bool GroupModel::is_current(const Peer& peer) const {
  const auto* group = coordinator_->group("g");
  const auto membership = peer.session->membership();
  return group != nullptr && group->generation() == membership.generation &&
         group->members().contains(membership.member.member_id);
}

void GroupModel::read(Peer& peer) {
  for (auto& [partition, position] : peer.positions) {
    Partition& log = partitions_[partition];
    if (roll(3) == 0) log.end += roll(5);
    const std::int64_t until = std::min(log.end, position + roll(4));
    log.delivered.resize(static_cast<std::size_t>(log.end));
    for (; position < until; ++position) {
      if (is_current(peer) && position < log.committed) {
        fail(text_of(partition) + " offset " + std::to_string(position) +
             " delivered again although " + std::to_string(log.committed) + " was committed");
      }
      log.delivered[static_cast<std::size_t>(position)] = true;
    }
  }
}

void GroupModel::commit(Peer& peer, bool waits) {
  if (!peer.session->is_member() || peer.positions.empty()) return;
  coordinator::CommitRequest request{peer.session->membership(), {}};
  if (sabotage_ == Sabotage::ignore_fencing && coordinator_->group("g") != nullptr) {
    const auto* group = coordinator_->group("g");
    if (!group->members().empty()) {
      request.from.member.member_id = group->members().begin()->first;
      request.from.generation = group->generation();
    }
  }
  std::map<TopicPartition, std::int64_t> offsets = peer.positions;
  if (sabotage_ == Sabotage::commit_ahead) {
    for (auto& [partition, offset] : offsets) offset += 1;
  }
  for (const auto& [partition, offset] : offsets) {
    request.offsets.push_back({partition, {Offset{offset}, {}, "", now().wall, {}}});
  }
  const Token token{++last_token_};
  commits_[token] = {&peer, offsets};
  GroupActions actions;
  coordinator_->commit(request, token, now(), actions);
  take(std::move(actions));
  while (waits && commits_.contains(token)) end_write(true);
}

void GroupModel::heartbeat(Peer& peer) {
  if (!peer.session->is_member()) return;
  peer.last_heartbeat = now().steady;
  peer.session->answered(coordinator_->heartbeat(peer.session->membership(), now()));
}

void GroupModel::take(GroupActions actions) {
  for (auto& reply : actions.joins) joins_.emplace_back(reply.token, std::move(reply));
  for (auto& reply : actions.syncs) syncs_.emplace_back(reply.token, std::move(reply));
  for (auto& write : actions.writes) writes_.push_back(std::move(write));
  for (auto& reply : actions.commits) {
    const auto node = commits_.extract(reply.token);
    if (!node) continue;
    const auto& [peer, offsets] = node.mapped();
    if (peer != nullptr) peer->session->answered(reply.answer);
    if (!reply.answer) continue;
    for (const auto& [partition, offset] : offsets) {
      Partition& log = partitions_[partition];
      if (offset < log.committed) {
        fail("the committed offset of " + text_of(partition) + " went back from " +
             std::to_string(log.committed) + " to " + std::to_string(offset));
      }
      log.committed = offset;
      log.delivered.resize(static_cast<std::size_t>(std::max(offset, log.end)));
      for (std::int64_t i = 0; i < offset; ++i) {
        if (!log.delivered[static_cast<std::size_t>(i)]) {
          fail(text_of(partition) + " offset " + std::to_string(i) + " committed, never delivered");
        }
      }
    }
  }
}

void GroupModel::end_write(bool may_fail) {
  if (writes_.empty()) return;
  auto write = std::move(writes_.front());
  writes_.pop_front();
  millrace::Result<void> result;
  if (may_fail && roll(30) == 0) result = millrace::Error(Errc::no_space, "no space");
  if (result && sabotage_ != Sabotage::forget_commits) {
    for (auto& record : write.records) log_.push_back(std::move(record));
  }
  GroupActions actions;
  coordinator_->written(write.id, result, now(), actions);
  take(std::move(actions));
}

void GroupModel::deliver_reply(bool all) {
  const auto deliver = [&](auto& replies, auto hand_in) {
    while (!replies.empty()) {
      auto [token, reply] = std::move(replies.front());
      replies.pop_front();
      const auto node = waiting_.extract(token);
      if (node) hand_in(*node.mapped(), std::move(reply));
      if (!all) return;
    }
  };
  deliver(joins_, [](Peer& peer, auto reply) { peer.session->joined(std::move(reply)); });
  deliver(syncs_, [&](Peer& peer, coordinator::SyncReply reply) {
    if (sabotage_ == Sabotage::share_partition && reply.answer && peers_.size() > 1) {
      reply.answer->assignment =
          coordinator::encode(coordinator::Assignment{{{"a", 0}}, {}}).value();
    }
    peer.session->synced(std::move(reply));
    note_change(peer, peer.session->take_change());
  });
}

/// The process of the coordinator ends; what was not durable is gone, who waited hears of it.
void GroupModel::restart() {
  writes_.clear();
  joins_.clear();
  syncs_.clear();
  commits_.clear();
  make_coordinator();
  for (const auto& record : log_) {
    const auto value = record.value ? std::optional<millrace::Bytes>(*record.value) : std::nullopt;
    if (!coordinator_->load(record.key, value, now())) fail("a record could not be loaded");
  }
  const millrace::Error closed(Errc::closed, "closed");
  for (const auto& [token, peer] : std::exchange(waiting_, {})) {
    peer->session->joined({token, closed});
    peer->session->synced({token, closed});
  }
}

void GroupModel::grow_topic() {
  int& count = topics_[roll(2) == 0 ? "a" : "b"];
  count = std::min(count + 1, 8);
}

void GroupModel::pass(int time) {
  milliseconds_ += time;
  GroupActions actions;
  coordinator_->tick(now(), actions);
  take(std::move(actions));
}

void GroupModel::step() {
  const int what = roll(100);
  if (what < 4 && peers_.size() < 6) return add_peer();
  if (what < 6) return remove_peer(roll(2) == 0);
  if (what < 7) return restart();
  if (what < 8) return grow_topic();
  if (what < 20) return pass(roll(2'000));
  if (what < 35) return end_write(true);
  if (what < 50) return deliver_reply(false);
  if (peers_.empty()) return;
  Peer& peer = *peers_[static_cast<std::size_t>(roll(static_cast<int>(peers_.size())))];
  if (peer.stalled_for > 0) {
    --peer.stalled_for;
  } else if (what < 52) {
    peer.stalled_for = roll(20);
  } else if (what < 70) {
    drive(peer);
  } else if (what < 85) {
    read(peer);
  } else if (what < 93) {
    commit(peer, roll(2) == 0);
  } else {
    heartbeat(peer);
  }
}

void GroupModel::settle() {
  for (int round = 0; round < 200; ++round) {
    pass(500);
    bool settled = true;
    for (const auto& peer : peers_) {
      heartbeat(*peer);
      drive(*peer);
      while (!writes_.empty()) end_write(false);
      deliver_reply(true);
      settled = settled && peer->session->is_settled();
    }
    if (settled && round > 2 * session_ms / 500) return;
  }
  fail("the members did not come to rest");
}

void GroupModel::check_settled() {
  std::map<TopicPartition, int> owners;
  std::set<std::string> wanted;
  for (const auto& peer : peers_) {
    for (const auto& partition : peer->session->owned()) ++owners[partition];
    if (!is_current(*peer)) fail("a settled member is not of the present generation");
  }
  for (const auto& [partition, count] : owners) {
    if (count != 1) fail(text_of(partition) + " has " + std::to_string(count) + " owners");
  }
  for (int p = 0; !peers_.empty() && p < topics_["a"]; ++p) {
    if (!owners.contains({"a", p})) fail("a-" + std::to_string(p) + " has no owner");
  }
}

void GroupModel::run(int steps) {
  add_peer();
  for (int i = 0; i < steps && problems_.empty(); ++i) step();
  for (const auto& peer : peers_) peer->stalled_for = 0;
  settle();
  if (problems_.empty()) check_settled();
  for (int i = 0; i < 20 && problems_.empty(); ++i) {
    for (const auto& peer : peers_) {
      read(*peer);
      commit(*peer, false);
      while (!writes_.empty()) end_write(false);
    }
  }
}

}  // namespace millrace_test
