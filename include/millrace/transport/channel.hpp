#pragma once
#include <chrono>
#include <cstddef>
#include <millrace/core/bytes.hpp>
#include <millrace/core/result.hpp>
#include <millrace/transport/brief_look.hpp>
#include <span>
#include <string>
#include <vector>

namespace millrace::inline v0::transport {

struct ChannelOptions {
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
  /// For a frame to come, and for the peer to take some of what is sent. 0 is for ever.
  std::chrono::milliseconds timeout = std::chrono::seconds(30);
  std::size_t most_frame_bytes = 512u << 20;
};

/// Where to connect to: `host:port`, `[v6]:port`, or `unix:` and a path.
struct PeerAddress {
  std::string host;  ///< the path of a Unix socket
  std::string port;  ///< empty: host is a path
  bool is_local() const noexcept { return port.empty(); }
  std::string text() const;
};
/// invalid_argument, which names `text` and says what an address is, if it is none.
Result<PeerAddress> parse_peer(const std::string& text);

/// A name for a Unix socket that fits what the system takes for one, whatever the path's length:
/// long ones go through a descriptor of their folder, which this keeps open.
class SocketPath {
 public:
  explicit SocketPath(const std::string& path);
  SocketPath(const SocketPath&) = delete;
  SocketPath& operator=(const SocketPath&) = delete;
  ~SocketPath();
  /// Valid as long as this.
  const std::string& name() const noexcept { return name_; }

 private:
  int folder_ = -1;
  std::string name_;
};

/// The other end of a Listener: one blocking connection that carries frames (an int32 length and
/// that many bytes). For one thread. Closes on destruction.
class Channel {
 public:
  /// io_error names the address and what the system says; invalid_argument if the address makes no
  /// sense.
  static Result<Channel> open(const std::string& address, const ChannelOptions& options = {});
  Channel(Channel&& other) noexcept;
  Channel& operator=(Channel&& other) noexcept;
  ~Channel();

  const std::string& address() const noexcept { return address_; }
  /// Sends all of `pieces`, which must be whole frames with their lengths. io_error if the peer is
  /// gone or takes nothing; the channel is of no use then.
  Result<void> send(std::span<const Bytes> pieces);
  /// The next frame, without its length; valid until the next call. io_error if the peer closes the
  /// connection or sends nothing for too long, corrupt_data if a frame is longer than allowed; the
  /// channel is of no use then.
  Result<Bytes> receive();
  /// Whether receive() would return without asking the system.
  bool has_frame() const noexcept;
  int descriptor() const noexcept { return socket_; }
  /// Has what waits, in any thread, return with an error. The channel is of no use then.
  void interrupt() const noexcept;
  /// See ChannelOptions::timeout.
  void set_timeout(std::chrono::milliseconds timeout);

 private:
  Channel(int socket, std::string address, const ChannelOptions& options);
  Result<void> read_some(std::size_t wanted_bytes);
  std::ptrdiff_t receive_into(MutableBytes memory);
  std::size_t buffered() const noexcept { return end_ - begin_; }
  Error failed(std::string_view doing, int os_code) const;

  int socket_ = -1;
  std::string address_;
  ChannelOptions options_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  BriefLook look_;
};

}  // namespace millrace::inline v0::transport
