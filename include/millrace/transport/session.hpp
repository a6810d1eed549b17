#pragma once
#include <functional>
#include <limits>
#include <memory>
#include <millrace/core/bytes.hpp>
#include <millrace/core/clock.hpp>
#include <millrace/transport/answer.hpp>
#include <string>

namespace millrace::inline v0::transport {

/// A thread of a listener, on which some of its connections live.
class Loop {
 public:
  virtual ~Loop() = default;
  /// Has `work` called on the loop's thread, after what was posted before. Any thread may ask; what
  /// is posted once the listener is being closed may be dropped.
  virtual void post(std::function<void()> work) = 0;
  /// The same, not before `when` of the machine's monotonic clock. To be asked and cancelled on the
  /// loop's own thread.
  using TimerId = std::uint64_t;
  virtual TimerId call_at(Clock::Steady when, std::function<void()> work) = 0;
  /// No effect once it was called.
  virtual void cancel(TimerId timer) = 0;
};

/// A frame that outlives the call it came with; counts against the byte budget until it ends.
class HeldFrame {
 public:
  virtual ~HeldFrame() = default;
  virtual MutableBytes bytes() noexcept = 0;
};

/// What came in: the bytes behind the length.
class IncomingFrame {
 public:
  virtual ~IncomingFrame() = default;
  /// Valid until on_frame() returns; may be written to.
  virtual MutableBytes bytes() noexcept = 0;
  /// The same bytes for longer, at another place perhaps: bytes() is of no use any more.
  virtual std::shared_ptr<HeldFrame> hold() = 0;
};

struct Peer {
  std::string address;       ///< of whom is at the other end, for people and for access rules
  std::string reached_host;  ///< the address of ours that it connected to; empty if it is local
  std::uint16_t reached_port = 0;
  bool is_local = false;      ///< came through the Unix socket
  bool is_encrypted = false;  ///< TLS
};

/// One connection, as who answers sees it. Made, called and ended on the connection's loop.
class Session {
 public:
  enum class Next {
    frame,               ///< the next frame may come
    frame_when_answered  ///< not before this one is answered
  };
  virtual ~Session() = default;
  /// The next frame of the connection, from 0 bytes to the listener's limit long.
  virtual Next on_frame(IncomingFrame& frame, Answer answer) = 0;
  /// A limit below the listener's, as long as it holds; asked when a frame begins.
  virtual std::size_t most_frame_bytes() const noexcept {
    return std::numeric_limits<std::size_t>::max();
  }
};

class SessionFactory {
 public:
  virtual ~SessionFactory() = default;
  /// Called on `loop`, which outlives the session.
  virtual std::unique_ptr<Session> connected(const Peer& peer, Loop& loop) = 0;
};

}  // namespace millrace::inline v0::transport
