#pragma once
#include <millrace/consumer_group.hpp>

#include "consumption.hpp"

namespace millrace::inline v0::cli {

struct GroupMembership {
  std::string group;  ///< empty: none
  std::optional<std::string> instance_id;
  std::vector<const Assignor*> assignors;  ///< none: the library's choice
  OffsetReset offset_reset = OffsetReset::earliest;
};

/// Reads a topic as a member of a group, prints the records, and commits what was printed.
class GroupConsumption {
 public:
  GroupConsumption(Broker broker, const ConsumeOptions& options, const GroupMembership& membership,
                   const StopSignals& stop)
      : broker_(std::move(broker)),
        options_(options),
        membership_(membership),
        stop_(stop),
        output_(stop.descriptor()) {}

  Result<void> run();

 private:
  using Member = GroupConsumer<Bytes, Bytes>;

  Result<bool> print_next(Member& member);
  Result<void> print_all(Member& member, const Records<Bytes, Bytes>& records);
  Result<void> step_over(Member& member, const Error& error);
  Result<bool> is_at_end(const Member& member) const;
  bool is_done() const;

  Broker broker_;
  const ConsumeOptions& options_;
  const GroupMembership& membership_;
  const StopSignals& stop_;
  std::uint64_t printed_ = 0;
  Output output_;
};

}  // namespace millrace::inline v0::cli
