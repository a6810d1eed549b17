#include <algorithm>
#include <millrace/coordinator/consumer_protocol.hpp>
#include <millrace/coordinator/cooperative.hpp>
#include <millrace/coordinator/member_session.hpp>
#include <millrace/coordinator/sticky_user_data.hpp>
#include <set>

namespace millrace::inline v0::coordinator {
namespace {

bool are_cooperative(const std::vector<const Assignor*>& assignors) {
  return std::all_of(assignors.begin(), assignors.end(),
                     [](const Assignor* a) { return a->is_cooperative(); });
}

void add(std::vector<TopicPartition>& to, const std::vector<TopicPartition>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

PartitionCounts counts_of(const std::set<std::string>& topics,
                          const MemberSession::CountSource& counts) {
  PartitionCounts known;
  for (const std::string& topic : topics) {
    const std::int32_t count = counts(topic);
    if (count > 0) known.emplace(topic, count);
  }
  return known;
}

bool concerns_membership(Errc code) noexcept {
  return code == Errc::rebalance_in_progress || code == Errc::unknown_member ||
         code == Errc::illegal_generation || code == Errc::unknown_group ||
         code == Errc::fenced_instance;
}

}  // namespace

MemberSession::MemberSession(Options options)
    : options_(std::move(options)), cooperative_(are_cooperative(options_.assignors)) {}

void MemberSession::subscribe(std::vector<std::string> topics) {
  std::sort(topics.begin(), topics.end());
  if (topics == topics_) return;
  topics_ = std::move(topics);
  must_join_ = true;
}

void MemberSession::check_counts(const CountSource& counts) {
  if (state_ != State::stable || join_.leader != member_id_) return;
  const bool same = std::all_of(assigned_by_.begin(), assigned_by_.end(), [&](const auto& known) {
    return counts(known.first) == known.second;
  });
  if (!same) must_join_ = true;
}

Membership MemberSession::membership() const {
  return {options_.group, {member_id_, options_.instance_id}, generation_};
}

MemberSession::Request MemberSession::next(const CountSource& counts) {
  if (!change_.empty()) return {};
  if (state_ == State::stable && must_join_) {
    if (!cooperative_ && !owned_.empty()) {
      change_.revoked = std::exchange(owned_, {});
      return {};
    }
    state_ = State::unjoined;
  }
  if (state_ == State::unjoined) {
    must_join_ = false;
    state_ = State::joining;
    return make_join();
  }
  if (state_ == State::joined) {
    state_ = State::syncing;
    return make_sync(counts);
  }
  return {};
}

OwnedBytes MemberSession::subscription_for(const Assignor& assignor) const {
  Subscription subscription;
  subscription.topics = topics_;
  subscription.owned_partitions = owned_;
  if (owned_generation_ >= 0) subscription.generation_id = owned_generation_;
  // A topic's name is far shorter than what a text may have, so these cannot fail.
  subscription.user_data =
      user_data_for(assignor.name(), last_assigned_, subscription.generation_id).value();
  return encode(subscription).value();
}

JoinRequest MemberSession::make_join() const {
  JoinRequest request;
  request.group = options_.group;
  request.member = {member_id_, options_.instance_id};
  request.client_id = options_.client_id;
  request.client_host = options_.client_host;
  request.session_timeout = options_.session_timeout;
  request.rebalance_timeout = options_.rebalance_timeout;
  request.requires_member_id = options_.requires_member_id;
  request.knows_skip_assignment = true;
  for (const Assignor* assignor : options_.assignors) {
    request.protocols.push_back({std::string(assignor->name()), subscription_for(*assignor)});
  }
  return request;
}

Result<std::vector<MemberAssignment>> MemberSession::assign(const CountSource& counts) {
  std::vector<MemberSubscription> members;
  std::set<std::string> topics;
  for (const JoinedMember& joined : join_.members) {
    MILLRACE_TRY(const Subscription subscription, decode_subscription(joined.metadata));
    topics.insert(subscription.topics.begin(), subscription.topics.end());
    members.push_back(to_member(joined.member.member_id, joined.member.instance_id, subscription,
                                join_.protocol));
  }
  const auto assignor =
      std::find_if(options_.assignors.begin(), options_.assignors.end(),
                   [&](const Assignor* a) { return a->name() == join_.protocol; });
  assigned_by_ = counts_of(topics, counts);
  std::vector<MemberAssignment> assignments;
  for (auto& [member, partitions] : (*assignor)->assign(members, assigned_by_)) {
    MILLRACE_TRY(OwnedBytes bytes, encode(Assignment{std::move(partitions), std::nullopt}));
    assignments.push_back({member, std::move(bytes)});
  }
  // Topics that are not there yet count too: when they are made, it is time to assign again.
  for (const std::string& topic : topics) assigned_by_.try_emplace(topic, 0);
  return assignments;
}

SyncRequest MemberSession::make_sync(const CountSource& counts) {
  SyncRequest request{membership(), join_.protocol_type, join_.protocol, {}};
  if (join_.leader != member_id_ || join_.skip_assignment) return request;
  auto assignments = assign(counts);
  if (assignments) {
    request.assignments = *std::move(assignments);
  } else {
    error_ = assignments.error();  // of another member's bytes: it gets nothing
  }
  return request;
}

void MemberSession::joined(JoinReply reply) {
  if (state_ != State::joining) return;
  state_ = State::unjoined;
  if (!reply.answer) {
    if (reply.answer.error().code() == Errc::member_id_required) {
      member_id_ = std::move(reply.member_id);
      return;
    }
    return handle(reply.answer.error());
  }
  join_ = *std::move(reply.answer);
  member_id_ = join_.member_id;
  generation_ = join_.generation;
  state_ = State::joined;
}

void MemberSession::synced(SyncReply reply) {
  if (state_ != State::syncing) return;
  state_ = State::unjoined;
  if (!reply.answer) return handle(reply.answer.error());
  auto assignment = decode_assignment(reply.answer->assignment);
  if (!assignment) {
    error_ = assignment.error();
    return;
  }
  state_ = State::stable;
  take(std::move(assignment->partitions));
}

void MemberSession::take(std::vector<TopicPartition> assigned) {
  AssignmentChange change = change_between(owned_, assigned);
  if (!change.revoked.empty()) must_join_ = true;  // so that another can have them
  add(change_.revoked, change.revoked);
  add(change_.assigned, change.added);
  owned_ = last_assigned_ = std::move(assigned);
  owned_generation_ = generation_;
}

void MemberSession::answered(const Result<void>& answer) {
  if (answer || !concerns_membership(answer.error().code())) return;
  // While a join or a sync is under way its own answer decides: this one may be about a generation
  // that is over, and what the member has told others it owns must stay true.
  if (state_ == State::stable || answer.error().code() == Errc::fenced_instance) {
    handle(answer.error());
  }
}

void MemberSession::lose_membership() {
  add(change_.lost, std::exchange(owned_, {}));
  member_id_.clear();
  generation_ = owned_generation_ = -1;
}

void MemberSession::fail(const Error& error) {
  lose_membership();
  error_ = error;
  state_ = State::failed;
}

void MemberSession::handle(const Error& error) {
  switch (error.code()) {
    case Errc::rebalance_in_progress:
      must_join_ = true;
      return;
    case Errc::unknown_member:
    case Errc::illegal_generation:
    case Errc::unknown_group:
      lose_membership();
      if (state_ == State::stable) state_ = State::unjoined;
      return;
    case Errc::fenced_instance:
    case Errc::inconsistent_protocol:
    case Errc::group_full:
    case Errc::invalid_argument:
      return fail(error);
    default:
      error_ = error;  // tried again when asked for the next request
  }
}

}  // namespace millrace::inline v0::coordinator
