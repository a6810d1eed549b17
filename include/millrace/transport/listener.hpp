#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <millrace/core/result.hpp>
#include <millrace/transport/session.hpp>
#include <string>
#include <vector>

namespace millrace::inline v0::transport {

/// PEM files. With `client_authority` clients must show a certificate that it signed.
struct TlsFiles {
  std::string certificate_chain;
  std::string private_key;
  std::string client_authority;
};

struct ListenAddress {
  /// `host:port`, `[v6]:port`, or `unix:` and a path. Port 0 is any that is free.
  std::string text;
  bool is_encrypted = false;
};

struct ListenerOptions {
  std::vector<ListenAddress> addresses;
  TlsFiles tls = {};  ///< of those that are encrypted
  int threads = 1;
  /// Longer frames close the connection [socket.request.max.bytes].
  std::size_t most_frame_bytes = 104'857'600;
  /// That frames of all connections together may hold before they are dealt with. Connections whose
  /// next frame does not fit are not read from until it does [queued.max.request.bytes].
  std::size_t byte_budget = 268'435'456;
  /// Above which new ones are closed at once [max.connections].
  std::size_t most_connections = 10'000;
  /// Frames of one connection that are not answered yet; above it is not read from.
  std::size_t most_unanswered = 256;
  /// A connection on which nothing moves for so long is closed, unless it waits for our answer
  /// [connections.max.idle.ms].
  std::chrono::milliseconds idle_timeout = std::chrono::minutes(10);
  /// For a frame to arrive once it has begun, and for a peer to take some of an answer.
  std::chrono::milliseconds stall_timeout = std::chrono::minutes(1);
  /// Hears why connections were refused or closed by us; on any loop.
  std::function<void(const Error&)> on_problem = {};
};

/// Accepts connections and carries frames (an int32 length and that many bytes) between them and
/// their sessions, on threads of its own. Thread-safe.
class Listener {
 public:
  /// Ready to accept when it returns. `sessions` must outlive it. invalid_argument names an address
  /// or option that makes no sense, io_error one that cannot be had (in use, not of this machine),
  /// and a TLS file that cannot be read.
  static Result<std::unique_ptr<Listener>> open(const ListenerOptions& options,
                                                SessionFactory& sessions);
  virtual ~Listener() = default;

  /// As in the options, with the ports that were given.
  virtual const std::vector<ListenAddress>& addresses() const noexcept = 0;
  virtual std::size_t connection_count() const noexcept = 0;
  /// Closes all connections and ends the threads; from another thread than a loop's.
  virtual void close() = 0;
};

}  // namespace millrace::inline v0::transport
