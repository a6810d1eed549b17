#include <fmt/format.h>

#include <millrace/client/group_member.hpp>

namespace millrace::inline v0::client {

using coordinator::MemberSession;
using coordinator::OwnershipChange;

Result<Connection*> GroupMember::coordinator() {
  if (coordinator_ != nullptr) return coordinator_;
  MILLRACE_TRY(coordinator_, cluster_.coordinator(Cluster::CoordinatorOf::group, options_.group));
  return coordinator_;
}

std::int32_t GroupMember::count_of(const std::string& topic) {
  const auto found = cluster_.topic(topic);
  return found ? static_cast<std::int32_t>(found->partitions.size()) : 0;
}

Result<void> GroupMember::keep_alive() {
  const auto now = Clock::now();
  if (!session_.is_member() || now < last_heartbeat_ + heartbeat_interval()) return {};
  last_heartbeat_ = now;
  session_.check_counts([this](const std::string& topic) { return count_of(topic); });
  MILLRACE_TRY(Connection* const to, coordinator());
  const auto answer = heartbeat(*to, session_.membership());
  if (!answer && answer.error().code() == Errc::io_error) return answer;
  session_.answered(answer);
  return {};
}

Result<void> GroupMember::ask(const MemberSession::Request& request, Connection& to) {
  const auto usual = transport::ChannelOptions().timeout;
  to.set_timeout(options_.rebalance_timeout + usual);
  if (const auto* wanted = std::get_if<coordinator::JoinRequest>(&request)) {
    auto reply = join(to, *wanted);
    if (!reply.answer && reply.answer.error().code() == Errc::io_error) return reply.answer.error();
    session_.joined(std::move(reply));
  } else {
    auto reply = sync(to, std::get<coordinator::SyncRequest>(request));
    if (!reply.answer && reply.answer.error().code() == Errc::io_error) return reply.answer.error();
    session_.synced(std::move(reply));
  }
  to.set_timeout(usual);
  last_heartbeat_ = Clock::now();
  return {};
}

Result<OwnershipChange> GroupMember::advance(const std::function<void()>& before_rejoin) {
  MILLRACE_CHECK(keep_alive());
  for (;;) {
    auto change = session_.take_change();
    if (!change.empty()) return change;
    if (auto error = session_.take_error()) return *std::move(error);
    const auto request =
        session_.next([this](const std::string& topic) { return count_of(topic); });
    if (std::holds_alternative<std::monostate>(request)) return session_.take_change();
    MILLRACE_TRY(Connection* const to, coordinator());
    const bool joins_again =
        std::holds_alternative<coordinator::JoinRequest>(request) && session_.is_member();
    if (joins_again && before_rejoin) before_rejoin();
    MILLRACE_CHECK(ask(request, *to));
  }
}

Result<void> GroupMember::commit(const std::map<TopicPartition, Offset>& offsets) {
  if (offsets.empty()) return {};
  coordinator::CommitRequest request{session_.membership(), {}};
  for (const auto& [partition, offset] : offsets) {
    request.offsets.push_back(
        {partition, {offset, LeaderEpoch::unknown, {}, Timestamp::none(), std::nullopt}});
  }
  MILLRACE_TRY(Connection* const to, coordinator());
  auto done = client::commit(*to, request);
  if (done || done.error().code() != Errc::io_error) session_.answered(done);
  return done;
}

Result<std::map<TopicPartition, coordinator::CommittedOffset>> GroupMember::committed(
    const std::vector<TopicPartition>& partitions) {
  MILLRACE_TRY(Connection* const to, coordinator());
  MILLRACE_TRY(auto found, client::committed(*to, options_.group, partitions));
  if (found.unsettled.empty()) return std::move(found.offsets);
  return Error(Errc::io_error, "a transaction that is not over decides where group " +
                                   options_.group + " goes on; try again when it is")
      .at(found.unsettled.front().topic, found.unsettled.front().partition);
}

Result<void> GroupMember::leave() {
  // A static member stays, so that it finds its partitions when it comes back (KIP-345).
  if (session_.membership().member.member_id.empty() || options_.instance_id) return {};
  MILLRACE_TRY(Connection* const to, coordinator());
  auto left = client::leave(*to, options_.group, session_.membership().member);
  if (!left && left.error().code() == Errc::unknown_member) return {};
  return left;
}

}  // namespace millrace::inline v0::client
