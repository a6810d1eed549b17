#pragma once
#include <functional>
#include <memory>
#include <millrace/client/connection.hpp>
#include <millrace/core/topic_partition.hpp>
#include <millrace/record/batch_header.hpp>
#include <mutex>
#include <string>

namespace millrace::inline v0::client {

/// Asks the process that owns a data directory, for another one that has attached to it, through
/// the Unix socket there. Connects when it is first asked, and anew after the owner was restarted.
/// Thread-safe: one call at a time.
class OwnerLink {
 public:
  /// `timeout` is how long an answer may take.
  explicit OwnerLink(std::string socket_path,
                     std::chrono::milliseconds timeout = std::chrono::seconds(30))
      : socket_path_(std::move(socket_path)), timeout_(timeout) {}

  struct Appended {
    Offset base_offset;
    Timestamp append_time = Timestamp::none();  ///< none if the records keep their own
  };
  /// Returns when it is acknowledged. A batch with a producer id is sent again if the connection
  /// broke: the owner knows whether it has it. Errors besides the owner's: read_only if nobody
  /// serves the socket.
  Result<Appended> append(const TopicPartition& partition, Bytes batch);
  Result<record::ProducerIdentity> take_producer_id();

  using Call = std::function<Result<void>(Connection&)>;
  /// Has `call` called with a connection; once more with a new one if that one breaks meanwhile and
  /// `may_repeat`.
  Result<void> with_owner(const Call& call, bool may_repeat = true);
  /// Has a call that waits return with an error, and later ones too.
  void interrupt();

 private:
  Result<void> connect();
  void use(std::unique_ptr<Connection> connection);

  const std::string socket_path_;
  const std::chrono::milliseconds timeout_;
  std::mutex mutex_;
  std::unique_ptr<Connection> connection_;  // changes with the next one held, too
  std::mutex interrupt_mutex_;
  bool is_interrupted_ = false;
};

}  // namespace millrace::inline v0::client
