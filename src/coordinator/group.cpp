#include <algorithm>
#include <millrace/coordinator/consumer_protocol.hpp>
#include <millrace/coordinator/group.hpp>

namespace millrace::inline v0::coordinator {

std::string_view to_string(GroupState state) noexcept {
  switch (state) {
    case GroupState::empty:
      return "Empty";
    case GroupState::preparing_rebalance:
      return "PreparingRebalance";
    case GroupState::completing_rebalance:
      return "CompletingRebalance";
    case GroupState::stable:
      return "Stable";
    case GroupState::dead:
      break;
  }
  return "Dead";
}

const OwnedBytes* Member::metadata_for(std::string_view protocol) const noexcept {
  const auto found = std::find_if(protocols.begin(), protocols.end(),
                                  [&](const Protocol& p) { return p.name == protocol; });
  return found == protocols.end() ? nullptr : &found->metadata;
}

Group::Group(std::string id, const GroupOptions& options) : id_(std::move(id)), options_(options) {}

Error Group::refused(Errc code, std::string why) const {
  return {code, "group " + id_ + ": " + std::move(why)};
}

Result<void> Group::check_protocols(const JoinRequest& request) const {
  if (request.protocols.empty() || request.protocol_type.empty()) {
    return refused(Errc::inconsistent_protocol,
                   "a member joins with a protocol type and at least "
                   "one protocol (assignor); it named none");
  }
  if (members_.empty()) return {};
  if (request.protocol_type != protocol_type_) {
    return refused(Errc::inconsistent_protocol,
                   "its members are of type " + protocol_type_ + ", not " + request.protocol_type);
  }
  if (supports(request)) return {};
  return refused(Errc::inconsistent_protocol,
                 "no protocol (assignor) that the member supports is supported by all others; "
                 "give all members a common one");
}

/// Whether one of its protocols is supported by everybody else.
bool Group::supports(const JoinRequest& request) const {
  return std::any_of(request.protocols.begin(), request.protocols.end(), [&](const Protocol& p) {
    return std::all_of(members_.begin(), members_.end(), [&](const auto& entry) {
      const Member& other = entry.second;
      return other.id == request.member.member_id ||
             (other.instance_id && other.instance_id == request.member.instance_id) ||
             other.supports(p.name);
    });
  });
}

Result<Member*> Group::find(const MemberIdentity& identity) {
  if (state_ == GroupState::dead) {
    return refused(Errc::unknown_group, "it was deleted; join again to make a new one");
  }
  if (identity.instance_id) {
    const auto instance = instances_.find(*identity.instance_id);
    if (instance == instances_.end()) {
      return refused(Errc::unknown_member, "it has no static member " + *identity.instance_id +
                                               " (any more); join again");
    }
    if (instance->second != identity.member_id && !identity.member_id.empty()) {
      return refused(Errc::fenced_instance, "static member " + *identity.instance_id +
                                                " was taken over by another process or thread "
                                                "with the same instance id; stop one of them");
    }
    return &members_.at(instance->second);
  }
  const auto found = members_.find(identity.member_id);
  if (found != members_.end()) return &found->second;
  return refused(Errc::unknown_member,
                 "it has no member \"" + identity.member_id +
                     "\" (any more): the member left, or was not heard of for its session timeout; "
                     "join again");
}

Result<Member*> Group::find(const Membership& from) {
  MILLRACE_TRY(Member * member, find(from.member));
  if (from.generation == generation_) return member;
  return refused(Errc::illegal_generation, "generation " + std::to_string(from.generation) +
                                               " is not the present one, which is " +
                                               std::to_string(generation_) +
                                               ": the group was rebalanced; join again");
}

void Group::join(const JoinRequest& request, Token token, const Now& now, const IdSource& ids,
                 GroupActions& actions) {
  auto refuse = [&](Error error) { actions.joins.push_back({token, std::move(error)}); };
  if (state_ == GroupState::dead) {
    return refuse(refused(Errc::unknown_group, "it was deleted; join again to make a new one"));
  }
  if (auto fit = check_protocols(request); !fit) return refuse(std::move(fit).error());
  if (request.member.member_id.empty()) return join_new(request, token, now, ids, actions);
  if (pending_.erase(request.member.member_id) > 0) {
    return add_member(request, request.member.member_id, token, now, actions);
  }
  auto member = find(request.member);
  if (!member) return refuse(std::move(member).error());
  join_again(**member, request, token, now, actions);
}

void Group::join_new(const JoinRequest& request, Token token, const Now& now, const IdSource& ids,
                     GroupActions& actions) {
  const auto& instance = request.member.instance_id;
  if (instance && instances_.contains(*instance)) {
    return take_over(request, token, now, ids, actions);
  }
  if (members_.size() + pending_.size() >= options_.max_size) {
    actions.joins.push_back(
        {token,
         refused(Errc::group_full, "it has its most members already, " +
                                       std::to_string(options_.max_size) + " (group.max.size)")});
    return;
  }
  const std::string& prefix = instance ? *instance : request.client_id;
  std::string member_id = prefix + "-" + ids();
  if (request.requires_member_id && !instance) {
    pending_.emplace(member_id, now.steady + request.session_timeout);
    actions.joins.push_back(
        {token, refused(Errc::member_id_required, "join again as " + member_id), member_id});
    return;
  }
  add_member(request, std::move(member_id), token, now, actions);
}

void Group::add_member(const JoinRequest& request, std::string member_id, Token token,
                       const Now& now, GroupActions& actions) {
  if (members_.empty()) protocol_type_ = request.protocol_type;
  Member& member = members_[member_id];
  member.id = std::move(member_id);
  member.instance_id = request.member.instance_id;
  if (member.instance_id) instances_[*member.instance_id] = member.id;
  update(member, request);
  if (delay_) delay_ = std::min(now.steady + options_.initial_rebalance_delay, join_ends_);
  wait_to_join(member, request, token, now, actions);
}

void Group::join_again(Member& member, const JoinRequest& request, Token token, const Now& now,
                       GroupActions& actions) {
  const bool changed = member.protocols != request.protocols;
  const bool answered = !changed && (state_ == GroupState::completing_rebalance ||
                                     (state_ == GroupState::stable && member.id != leader_));
  if (!answered) return wait_to_join(member, request, token, now, actions);
  member.seen(now.steady);
  actions.joins.push_back({token, answer_for(member, false)});
}

/// A static member came back under its instance id: it gets a new id and the old one is fenced.
void Group::take_over(const JoinRequest& request, Token token, const Now& now, const IdSource& ids,
                      GroupActions& actions) {
  std::string& registered = instances_.at(*request.member.instance_id);
  auto node = members_.extract(registered);
  const std::string new_id = *request.member.instance_id + "-" + ids();
  const Error fenced = refused(Errc::fenced_instance,
                               "static member " + registered + " was taken over by " + new_id);
  Member& old = node.mapped();
  if (old.join) actions.joins.push_back({*std::exchange(old.join, std::nullopt), fenced});
  if (old.sync) actions.syncs.push_back({*std::exchange(old.sync, std::nullopt), fenced});
  if (leader_ == registered) leader_ = new_id;
  registered = new_id;
  node.key() = new_id;
  old.id = new_id;
  Member& member = members_.insert(std::move(node)).position->second;
  update(member, request);
  member.seen(now.steady);
  if (state_ == GroupState::stable && choose_protocol() == protocol_) {
    member.join = token;
    to_write_ = Purpose::take_over;
    return;
  }
  wait_to_join(member, request, token, now, actions);
}

void Group::update(Member& member, const JoinRequest& request) const {
  member.client_id = request.client_id;
  member.client_host = request.client_host;
  member.session_timeout = request.session_timeout;
  member.rebalance_timeout = request.rebalance_timeout;
  member.protocols = request.protocols;
  member.is_loaded = false;
  member.knows_skip_assignment = request.knows_skip_assignment;
}

void Group::wait_to_join(Member& member, const JoinRequest& request, Token token, const Now& now,
                         GroupActions& actions) {
  update(member, request);
  member.seen(now.steady);
  if (member.join) {
    actions.joins.push_back(
        {*member.join, refused(Errc::rebalance_in_progress, "the member has joined again since")});
  }
  member.join = token;
  if (state_ == GroupState::preparing_rebalance) return complete_if_all_joined(now, actions);
  prepare_rebalance(now, actions);
}

JoinAnswer Group::answer_for(const Member& member, bool skip_assignment) const {
  JoinAnswer answer{generation_, protocol_type_, protocol_, leader_, member.id, {}, false};
  if (member.id != leader_) return answer;
  if (skip_assignment && !member.knows_skip_assignment) {
    answer.leader.clear();  // who does not know better must not assign
    return answer;
  }
  answer.skip_assignment = skip_assignment;
  for (const auto& [id, other] : members_) {
    const OwnedBytes* metadata = other.metadata_for(protocol_);
    answer.members.push_back({{id, other.instance_id}, metadata ? *metadata : OwnedBytes()});
  }
  return answer;
}

std::optional<std::set<std::string>> Group::subscribed_topics() const {
  if (state_ != GroupState::stable || protocol_type_ != "consumer") return std::nullopt;
  std::set<std::string> topics;
  for (const auto& [id, member] : members_) {
    const OwnedBytes* const metadata = member.metadata_for(protocol_);
    if (metadata == nullptr) return std::nullopt;
    auto subscription = decode_subscription(*metadata);
    if (!subscription) return std::nullopt;
    topics.insert(subscription->topics.begin(), subscription->topics.end());
  }
  return topics;
}

void Group::load(GroupSnapshot was, const Now& now) {
  protocol_type_ = std::move(was.protocol_type);
  generation_ = was.generation;
  protocol_ = std::move(was.protocol);
  leader_ = std::move(was.leader);
  for (Member& member : was.members) {
    member.is_loaded = true;
    member.seen(now.steady);
    if (member.client_host == own_process) member.alive_until = now.steady;
    if (member.instance_id) instances_[*member.instance_id] = member.id;
    members_.emplace(member.id, std::move(member));
  }
  state_ = members_.empty() ? GroupState::empty : GroupState::stable;
  state_since_ = was.state_since;
}

}  // namespace millrace::inline v0::coordinator
