#pragma once
#include <cstdint>
#include <memory>
#include <millrace/core/offset.hpp>
#include <string>
#include <string_view>
#include <system_error>

namespace millrace::inline v0 {

/// What went wrong, for programs to branch on. The text for people is in Error::message().
enum class Errc : int {
  invalid_argument = 1,            ///< an argument or option is outside its range
  invalid_topic,                   ///< a topic name outside Kafka's rules
  topic_exists,                    ///< create of a topic that is there, or that collides with one
  unknown_topic,                   ///< no such topic
  unknown_partition,               ///< the topic has no partition of that number
  record_too_large,                ///< a record or batch above max.message.bytes
  invalid_record,                  ///< breaks the format's rules, e.g. no key on a compacted topic
  offset_out_of_range,             ///< below log_start_offset or above the readable end
  corrupt_data,                    ///< bytes on disk or wire fail their checks; see offsets()
  foreign_directory,               ///< the directory holds something that is not a millrace log
  newer_format,                    ///< written by a later millrace
  directory_locked,                ///< another process (or Broker) owns the directory
  read_only,                       ///< the broker is an attachment, or the file system is read-only
  no_space,                        ///< ENOSPC or EDQUOT; nothing that was acknowledged is lost
  io_error,                        ///< the system refused a call; os_code() has errno
  log_failed,                      ///< an earlier write or sync failed; reopen the log to go on
  closed,                          ///< the object was closed
  serialization,                   ///< a Serde refused a value or bytes
  back_pressure,                   ///< a producer's buffer is full: nothing was sent, try again
  unsupported,                     ///< a codec or feature that this build does not have
  unknown_group,                   ///< no such consumer group
  unknown_member,                  ///< the group has no such member (any more)
  illegal_generation,              ///< the group has been rebalanced since
  rebalance_in_progress,           ///< the group's members are joining again
  fenced_instance,                 ///< another member took over this instance id
  inconsistent_protocol,           ///< no assignor that all members of the group have
  member_id_required,              ///< join again with the id that came with the answer
  group_full,                      ///< the group has its most members
  group_not_empty,                 ///< it has members: stop them first
  out_of_order_sequence,           ///< a producer's batch does not follow its last one
  invalid_producer_epoch,          ///< a newer instance of the producer has taken over
  invalid_transaction_state,       ///< not possible with the producer's transaction as it stands
  transaction_coordinator_fenced,  ///< a newer transaction coordinator has taken over
  producer_fenced,                 ///< a newer instance with its transactional id has taken over
  concurrent_transactions,         ///< the one before is still being ended: try again
  unknown_transactional_id,        ///< no such transactional id (any more)
};

/// The category behind std::error_code conversions; name() is "millrace".
const std::error_category& error_category() noexcept;

/// Makes `std::error_code e = Errc::no_space` work.
std::error_code make_error_code(Errc code) noexcept;

/// A half-open range of offsets, [begin, end).
struct OffsetRange {
  Offset begin{};
  Offset end{};
  friend bool operator==(const OffsetRange&, const OffsetRange&) = default;
};

/// A failure as a value: a code, the system's code where there was one, and one sentence that says
/// what was being done, to what, and what to do about it. Cheap to move, copies share the text.
class Error {
 public:
  /// `message` is a full sentence; `os_code` is an errno value, 0 if no system call failed.
  Error(Errc code, std::string message, int os_code = 0);

  /// An Error for a failed system call: picks no_space, read_only or io_error by `os_code` and
  /// appends the system's text to `doing`, e.g. `writing 4096 bytes at 0 of data/t-0/x.log`.
  static Error from_os(std::string_view doing, int os_code);

  Errc code() const noexcept { return code_; }
  /// errno of the failed call, 0 if none.
  int os_code() const noexcept { return os_code_; }
  /// What happened, to which thing, and the remedy. Valid as long as any copy of this Error.
  const std::string& message() const noexcept;
  /// The topic concerned, empty if none; partition() is -1 then.
  std::string_view topic() const noexcept;
  std::int32_t partition() const noexcept;
  /// The offsets concerned (corrupt_data, offset_out_of_range); empty range if none.
  OffsetRange offsets() const noexcept;

  /// Copies with more context; the message gets `topic-partition: ` in front, or `topic: ` if
  /// `partition` is negative.
  Error at(std::string_view topic, std::int32_t partition) const;
  Error with_offsets(OffsetRange range) const;

  std::error_code to_error_code() const noexcept { return make_error_code(code_); }
  operator std::error_code() const noexcept { return to_error_code(); }

 private:
  struct Detail;
  Errc code_;
  int os_code_;
  std::shared_ptr<const Detail> detail_;
};

}  // namespace millrace::inline v0

template <>
struct std::is_error_code_enum<millrace::Errc> : std::true_type {};
