#pragma once
#include <memory>
#include <millrace/core/bytes.hpp>
#include <millrace/core/result.hpp>
#include <millrace/transport/listener.hpp>
#include <span>

#include "transport/asio.hpp"

namespace millrace::inline v0::transport {

/// A connected socket, encrypted or not. For one thread.
class ByteStream {
 public:
  using Written = std::function<void(ErrorCode, std::size_t)>;

  virtual ~ByteStream() = default;
  /// What has to be said before the first byte; an error if the peer does not go along.
  virtual asio::awaitable<void> begin(ErrorCode& failed) = 0;
  /// Reads at least one byte into `memory`; what was read.
  virtual asio::awaitable<MutableBytes> read(MutableBytes memory, ErrorCode& failed) = 0;
  /// Whether read() leaves `memory` alone while it waits, so that other streams may use it.
  virtual bool shares_memory() const noexcept = 0;
  /// Writes what it can without waiting; how many bytes.
  virtual std::size_t try_write(std::span<const asio::const_buffer> buffers) = 0;
  /// Writes some of it; `buffers` and what they point to must stay until `done` is called.
  virtual void write(std::span<const asio::const_buffer> buffers, Written done) = 0;
  virtual void close() = 0;
};

std::unique_ptr<ByteStream> plain_stream(Socket socket);

/// The keys and certificates of a listener.
class TlsContext;
Result<std::shared_ptr<TlsContext>> load_tls(const TlsFiles& files);
std::unique_ptr<ByteStream> tls_stream(Socket socket, std::shared_ptr<TlsContext> context);

}  // namespace millrace::inline v0::transport
