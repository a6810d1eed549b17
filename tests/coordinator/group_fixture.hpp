#pragma once
#include <algorithm>
#include <millrace/coordinator/group_coordinator.hpp>

#include "catch.hpp"

namespace millrace_test {

namespace coordinator = millrace::coordinator;
using coordinator::GroupActions;
using coordinator::GroupCoordinator;
using coordinator::Token;
using millrace::Errc;
using std::chrono::milliseconds;

/// A coordinator in a world where time stands still unless told to go on, and where writes end at
/// once unless they are held.
class GroupWorld {
 public:
  explicit GroupWorld(coordinator::GroupCoordinatorOptions options = {})
      : options_(options), coordinator_(make()) {}

  GroupCoordinator& operator*() { return *coordinator_; }
  GroupCoordinator* operator->() { return coordinator_.get(); }
  coordinator::Group::Now now() const {
    return {millrace::Clock::Steady(std::chrono::seconds(100)) + passed_,
            millrace::Timestamp(1'700'000'000'000) + passed_};
  }
  void pass(milliseconds time) {
    passed_ += time;
    GroupActions actions;
    coordinator_->tick(now(), actions);
    take(std::move(actions));
  }

  Token join(const coordinator::JoinRequest& request) {
    return call([&](Token token, GroupActions& actions) {
      coordinator_->join(request, token, now(), actions);
    });
  }
  Token sync(const coordinator::SyncRequest& request) {
    return call([&](Token token, GroupActions& actions) {
      coordinator_->sync(request, token, now(), actions);
    });
  }
  Token commit(const coordinator::CommitRequest& request) {
    return call([&](Token token, GroupActions& actions) {
      coordinator_->commit(request, token, now(), actions);
    });
  }
  Token commit_in_transaction(const coordinator::CommitRequest& request, std::int64_t producer_id) {
    return call([&](Token token, GroupActions& actions) {
      coordinator_->commit_in_transaction(request, {producer_id, 0}, token, now(), actions);
    });
  }
  /// The answer, if there is one already.
  const coordinator::CommitReply* remove_topic(std::string_view topic) {
    return commit_reply(call([&](Token token, GroupActions& actions) {
      coordinator_->remove_topic(topic, token, actions);
    }));
  }
  const coordinator::CommitReply* remove_offsets(
      const std::string& group, const std::vector<coordinator::TopicPartition>& partitions) {
    return commit_reply(call([&](Token token, GroupActions& actions) {
      coordinator_->remove_offsets(group, partitions, token, actions);
    }));
  }
  millrace::Result<void> leave(const coordinator::MemberIdentity& member) {
    GroupActions actions;
    auto left = coordinator_->leave("g", member, now(), actions);
    take(std::move(actions));
    return left;
  }

  /// The answer to a request; null as long as there is none.
  const coordinator::JoinReply* join_reply(Token token) const { return find(joins, token); }
  const coordinator::SyncReply* sync_reply(Token token) const { return find(syncs, token); }
  const coordinator::CommitReply* commit_reply(Token token) const { return find(commits, token); }

  /// Ends the writes that were held, in order or backwards.
  void end_writes(const millrace::Result<void>& result = {}, bool backwards = false) {
    auto ending = std::exchange(held, {});
    if (backwards) std::reverse(ending.begin(), ending.end());
    for (auto& write : ending) end(std::move(write), result);
  }
  /// The same records, taken up by a coordinator that knows nothing yet.
  void restart() {
    coordinator_ = make();
    for (std::size_t i = 0; i < log.size(); ++i) {
      const auto& record = log[i];
      const auto value =
          record.value ? std::optional<millrace::Bytes>(*record.value) : std::nullopt;
      const auto producer = producers.find(i);
      if (producer == producers.end()) {
        REQUIRE(coordinator_->load(record.key, value, now()));
      } else {
        REQUIRE(coordinator_->load_pending(producer->second, record.key, value));
      }
    }
  }

  bool holds_writes = false;
  std::vector<coordinator::Write> held;
  std::vector<coordinator::InternalRecord> log;
  std::map<std::size_t, std::int64_t> producers;  // of the records in it that are transactional
  std::vector<coordinator::JoinReply> joins;
  std::vector<coordinator::SyncReply> syncs;
  std::vector<coordinator::CommitReply> commits;

 private:
  std::unique_ptr<GroupCoordinator> make() {
    return std::make_unique<GroupCoordinator>(options_, [this] { return std::to_string(++ids_); });
  }
  template <typename Call>
  Token call(Call call) {
    const Token token{++tokens_};
    GroupActions actions;
    call(token, actions);
    take(std::move(actions));
    return token;
  }
  template <typename Reply>
  static const Reply* find(const std::vector<Reply>& replies, Token token) {
    const auto found = std::find_if(replies.begin(), replies.end(),
                                    [&](const Reply& reply) { return reply.token == token; });
    return found == replies.end() ? nullptr : &*found;
  }
  template <typename Reply>
  static void move_all(std::vector<Reply>& from, std::vector<Reply>& to) {
    for (Reply& reply : from) to.push_back(std::move(reply));
  }
  void end(coordinator::Write write, const millrace::Result<void>& result) {
    if (result) {
      for (auto& record : write.records) {
        if (write.transaction_of) producers[log.size()] = write.transaction_of->id;
        log.push_back(std::move(record));
      }
    }
    GroupActions actions;
    coordinator_->written(write.id, result, now(), actions);
    take(std::move(actions));
  }
  void take(GroupActions actions) {
    move_all(actions.joins, joins);
    move_all(actions.syncs, syncs);
    move_all(actions.commits, commits);
    for (auto& write : actions.writes) {
      if (holds_writes) {
        held.push_back(std::move(write));
      } else {
        end(std::move(write), {});
      }
    }
  }

  coordinator::GroupCoordinatorOptions options_;
  std::uint64_t ids_ = 0;
  std::uint64_t tokens_ = 0;
  milliseconds passed_{0};
  std::unique_ptr<GroupCoordinator> coordinator_;
};

inline coordinator::OwnedBytes owned(std::string_view text) {
  const auto bytes = millrace::as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

/// A join of group "g"; an empty id is a new member.
inline coordinator::JoinRequest joining(std::string member_id = {},
                                        std::string_view metadata = "sub") {
  coordinator::JoinRequest request;
  request.group = "g";
  request.member.member_id = std::move(member_id);
  request.client_id = "c";
  request.session_timeout = milliseconds(10'000);
  request.rebalance_timeout = milliseconds(60'000);
  request.protocols = {{"range", owned(metadata)}};
  return request;
}

inline coordinator::Membership member(std::string id, std::int32_t generation) {
  return {"g", {std::move(id), std::nullopt}, generation};
}

/// What went wrong with a request; fails the test if nothing did or there is no answer.
template <typename Reply>
Errc code_of(const Reply* reply) {
  REQUIRE(reply != nullptr);
  REQUIRE_FALSE(reply->answer.has_value());
  return reply->answer.error().code();
}

/// A sync of the leader, giving each member its own id as its assignment.
inline coordinator::SyncRequest assigning(const std::string& leader, std::int32_t generation,
                                          const std::vector<std::string>& members) {
  coordinator::SyncRequest request{member(leader, generation), {}, {}, {}};
  for (const std::string& id : members) request.assignments.push_back({id, owned(id)});
  return request;
}

/// The one member of a stable group in generation 1.
inline std::string lone_member(GroupWorld& world, coordinator::JoinRequest request = joining()) {
  const Token token = world.join(request);
  REQUIRE(world.join_reply(token) != nullptr);
  const std::string id = world.join_reply(token)->answer.value().member_id;
  const Token synced = world.sync(assigning(id, 1, {id}));
  REQUIRE(world.sync_reply(synced)->answer);
  return id;
}

struct Pair {
  std::string leader;
  std::string follower;
};
/// The two members of a stable group in generation 2.
inline Pair two_members(GroupWorld& world) {
  Pair pair;
  pair.leader = lone_member(world);
  const Token second = world.join(joining());
  const Token first = world.join(joining(pair.leader));
  REQUIRE(world.join_reply(first)->answer);
  pair.follower = world.join_reply(second)->answer.value().member_id;
  world.sync({member(pair.follower, 2), {}, {}, {}});
  world.sync(assigning(pair.leader, 2, {pair.leader, pair.follower}));
  REQUIRE(world->group("g")->state() == coordinator::GroupState::stable);
  return pair;
}

}  // namespace millrace_test
