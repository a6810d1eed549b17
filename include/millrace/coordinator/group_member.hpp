#pragma once
#include <millrace/coordinator/group_requests.hpp>
#include <millrace/core/clock.hpp>

namespace millrace::inline v0::coordinator {

/// The host of a member that lives in the coordinator's own process, and does not outlive it.
inline constexpr std::string_view own_process = "in-process";

/// What a group knows of one of its members.
struct Member {
  std::string id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  Milliseconds session_timeout{0};
  Milliseconds rebalance_timeout{0};
  std::vector<Protocol> protocols;
  OwnedBytes assignment;
  bool knows_skip_assignment = false;
  bool is_loaded = false;  ///< from a record, which has only the chosen one of its protocols

  std::optional<Token> join;  ///< a join that waits for its answer
  std::optional<Token> sync;  ///< a sync that waits for its answer
  bool must_sync = false;     ///< has joined this generation and not synced yet
  Clock::Steady alive_until;

  /// A member whose request we hold cannot send a heartbeat.
  bool is_waiting() const noexcept { return join || sync; }
  bool is_expired(Clock::Steady now) const noexcept { return !is_waiting() && alive_until <= now; }
  void seen(Clock::Steady now) noexcept { alive_until = now + session_timeout; }
  bool supports(std::string_view protocol) const noexcept {
    return is_loaded || metadata_for(protocol) != nullptr;
  }
  /// Its subscription for a protocol; null if it does not take part in it.
  const OwnedBytes* metadata_for(std::string_view protocol) const noexcept;
};

/// What a group looked like when it was written.
struct GroupSnapshot {
  std::string protocol_type;
  std::int32_t generation = 0;
  std::string protocol;
  std::string leader;
  Timestamp state_since = Timestamp::none();
  std::vector<Member> members;
};

}  // namespace millrace::inline v0::coordinator
