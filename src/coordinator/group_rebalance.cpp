#include <algorithm>
#include <millrace/coordinator/group.hpp>

namespace millrace::inline v0::coordinator {

Milliseconds Group::longest_rebalance() const {
  Milliseconds longest{0};
  for (const auto& [id, member] : members_) longest = std::max(longest, member.rebalance_timeout);
  return longest;
}

void Group::prepare_rebalance(const Now& now, GroupActions& actions) {
  answer_syncs(actions, refused(Errc::rebalance_in_progress, "a rebalance has begun; join again"));
  for (auto& [id, member] : members_) member.must_sync = false;
  const bool delayed = state_ == GroupState::empty && options_.initial_rebalance_delay.count() > 0;
  join_ends_ = now.steady + longest_rebalance();
  delay_.reset();
  if (delayed) delay_ = std::min(now.steady + options_.initial_rebalance_delay, join_ends_);
  enter(GroupState::preparing_rebalance, now);
  complete_if_all_joined(now, actions);
  if (state_ == GroupState::preparing_rebalance) actions.rebalancing.push_back(id_);
}

void Group::complete_if_all_joined(const Now& now, GroupActions& actions) {
  if (delay_ || !pending_.empty()) return;
  const bool all = std::all_of(members_.begin(), members_.end(),
                               [](const auto& entry) { return entry.second.join.has_value(); });
  if (all) complete_join(now, actions);
}

/// Dynamic members that did not join again are gone; static ones may still come.
void Group::remove_absent() {
  for (auto at = members_.begin(); at != members_.end();) {
    const Member& member = at->second;
    at = member.join || member.instance_id ? std::next(at) : members_.erase(at);
  }
}

void Group::complete_join(const Now& now, GroupActions& actions) {
  delay_.reset();
  remove_absent();
  if (members_.empty()) return become_empty(now);
  const auto has_joined = [](const auto& entry) { return entry.second.join.has_value(); };
  const auto leader = members_.find(leader_);
  if (leader == members_.end() || !leader->second.join) {
    const auto any = std::find_if(members_.begin(), members_.end(), has_joined);
    if (any == members_.end()) {  // nobody who could lead: wait on for the static members
      join_ends_ = now.steady + longest_rebalance();
      return;
    }
    leader_ = any->first;
  }
  ++generation_;
  protocol_ = choose_protocol();
  assigned_ = false;
  sync_ends_ = now.steady + longest_rebalance();
  enter(GroupState::completing_rebalance, now);
  for (auto& [id, member] : members_) {
    member.assignment.clear();
    if (!member.join) continue;
    member.must_sync = true;
    member.seen(now.steady);
    actions.joins.push_back({*std::exchange(member.join, std::nullopt), answer_for(member, false)});
  }
}

void Group::become_empty(const Now& now) {
  ++generation_;
  protocol_.clear();
  leader_.clear();
  enter(GroupState::empty, now);
  to_write_ = Purpose::emptied;
}

bool Group::is_common(std::string_view protocol) const {
  return std::all_of(members_.begin(), members_.end(),
                     [&](const auto& entry) { return entry.second.supports(protocol); });
}

/// Each member votes for the first of its protocols that all support.
std::string Group::choose_protocol() const {
  std::map<std::string_view, int> votes;
  for (const auto& [id, member] : members_) {
    const auto vote = std::find_if(member.protocols.begin(), member.protocols.end(),
                                   [&](const Protocol& p) { return is_common(p.name); });
    if (vote != member.protocols.end()) ++votes[vote->name];
  }
  const auto most = std::max_element(
      votes.begin(), votes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == votes.end() ? std::string() : std::string(most->first);
}

void Group::sync(const SyncRequest& request, Token token, const Now& now, GroupActions& actions) {
  const auto refuse = [&](Error error) { actions.syncs.push_back({token, std::move(error)}); };
  auto found = find(request.from);
  if (!found) return refuse(std::move(found).error());
  Member& member = **found;
  if ((request.protocol_type && *request.protocol_type != protocol_type_) ||
      (request.protocol && *request.protocol != protocol_)) {
    return refuse(refused(Errc::inconsistent_protocol, "it has settled on protocol " + protocol_ +
                                                           " of type " + protocol_type_));
  }
  member.seen(now.steady);
  if (state_ == GroupState::preparing_rebalance) {
    return refuse(refused(Errc::rebalance_in_progress, "a rebalance has begun; join again"));
  }
  member.must_sync = false;
  if (state_ == GroupState::stable) {
    actions.syncs.push_back({token, SyncAnswer{protocol_type_, protocol_, member.assignment}});
    return;
  }
  if (member.sync) {
    actions.syncs.push_back(
        {*member.sync, refused(Errc::rebalance_in_progress, "the member has synced again since")});
  }
  member.sync = token;
  if (member.id != leader_ || assigned_) return;
  for (const MemberAssignment& assignment : request.assignments) {
    const auto to = members_.find(assignment.member_id);
    if (to != members_.end()) to->second.assignment = assignment.assignment;
  }
  assigned_ = true;
  to_write_ = Purpose::sync;
}

void Group::answer_syncs(GroupActions& actions, const Result<void>& result) {
  for (auto& [id, member] : members_) {
    if (!member.sync) continue;
    SyncReply reply{*std::exchange(member.sync, std::nullopt),
                    SyncAnswer{protocol_type_, protocol_, member.assignment}};
    if (!result) reply.answer = result.error();
    actions.syncs.push_back(std::move(reply));
  }
}

void Group::written(Purpose purpose, std::int32_t generation, const Result<void>& result,
                    const Now& now, GroupActions& actions) {
  if (generation != generation_) return;
  if (purpose == Purpose::take_over && state_ == GroupState::stable) {
    for (auto& [id, member] : members_) {
      if (!member.join) continue;
      JoinReply reply{*std::exchange(member.join, std::nullopt), answer_for(member, true)};
      if (!result) reply.answer = result.error();
      member.seen(now.steady);
      actions.joins.push_back(std::move(reply));
    }
  }
  if (purpose != Purpose::sync || state_ != GroupState::completing_rebalance) return;
  answer_syncs(actions, result);
  for (auto& [id, member] : members_) member.seen(now.steady);
  if (result) return enter(GroupState::stable, now);
  prepare_rebalance(now, actions);
}

Result<void> Group::heartbeat(const Membership& from, const Now& now) {
  MILLRACE_TRY(Member * member, find(from));
  member->seen(now.steady);
  if (state_ != GroupState::preparing_rebalance) return {};
  return refused(Errc::rebalance_in_progress, "a rebalance has begun; join again");
}

Result<void> Group::check_commit(const Membership& from, const Now& now) {
  const bool simple = from.generation < 0 && from.member.member_id.empty();
  if (simple && members_.empty() && state_ != GroupState::dead) return {};
  if (simple) {
    return refused(Errc::unknown_member,
                   "it has active members, so only they may commit; stop them first, or commit "
                   "as one of them");
  }
  MILLRACE_TRY(Member * member, find(from));
  member->seen(now.steady);
  if (state_ != GroupState::completing_rebalance) return {};
  return refused(Errc::rebalance_in_progress,
                 "a rebalance is about to complete; sync before committing again");
}

Result<void> Group::leave(const MemberIdentity& identity, const Now& now, GroupActions& actions) {
  if (pending_.erase(identity.member_id) > 0) {
    if (state_ == GroupState::preparing_rebalance) complete_if_all_joined(now, actions);
    return {};
  }
  MILLRACE_TRY(const Member* member, find(identity));
  remove(std::string(member->id), now, actions);
  return {};
}

void Group::remove(const std::string& member_id, const Now& now, GroupActions& actions) {
  const auto node = members_.extract(member_id);
  if (!node) return;  // gone with others that did not join
  const Member& member = node.mapped();
  const Error gone = refused(Errc::unknown_member, "the member was removed; join again");
  if (member.join) actions.joins.push_back({*member.join, gone});
  if (member.sync) actions.syncs.push_back({*member.sync, gone});
  if (member.instance_id) instances_.erase(*member.instance_id);
  if (state_ == GroupState::preparing_rebalance) {
    complete_if_all_joined(now, actions);
  } else {
    prepare_rebalance(now, actions);
  }
}

void Group::expire_members(const Now& now, GroupActions& actions) {
  std::vector<std::string> gone;
  const bool sync_missed =
      (state_ == GroupState::completing_rebalance || state_ == GroupState::stable) &&
      now.steady >= sync_ends_;
  for (const auto& [id, member] : members_) {
    if (member.is_expired(now.steady) || (sync_missed && member.must_sync)) gone.push_back(id);
  }
  for (const std::string& id : gone) remove(id, now, actions);
}

void Group::tick(const Now& now, GroupActions& actions) {
  const auto was_pending = pending_.size();
  std::erase_if(pending_, [&](const auto& entry) { return entry.second <= now.steady; });
  expire_members(now, actions);
  if (state_ != GroupState::preparing_rebalance) return;
  if (delay_.value_or(join_ends_) <= now.steady) return complete_join(now, actions);
  if (pending_.size() != was_pending) complete_if_all_joined(now, actions);
}

std::optional<Group::Steady> Group::next_deadline() const {
  std::optional<Steady> next;
  const auto at = [&](Steady time) { next = next ? std::min(*next, time) : time; };
  for (const auto& [id, until] : pending_) at(until);
  for (const auto& [id, member] : members_) {
    if (!member.is_waiting()) at(member.alive_until);
    if (member.must_sync) at(sync_ends_);
  }
  if (state_ == GroupState::preparing_rebalance) at(delay_.value_or(join_ends_));
  return next;
}

void Group::kill(const Now& now, GroupActions& actions) {
  const Error gone = refused(Errc::unknown_group, "it was deleted");
  for (auto& [id, member] : members_) {
    if (member.join) actions.joins.push_back({*std::exchange(member.join, std::nullopt), gone});
    if (member.sync) actions.syncs.push_back({*std::exchange(member.sync, std::nullopt), gone});
  }
  members_.clear();
  enter(GroupState::dead, now);
}

}  // namespace millrace::inline v0::coordinator
