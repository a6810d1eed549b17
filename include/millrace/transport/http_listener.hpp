#pragma once
#include <functional>
#include <memory>
#include <millrace/core/result.hpp>
#include <string>

namespace millrace::inline v0::transport {

/// One page over HTTP/1.1, for what scrapes metrics: `GET /metrics` has it, anything else is 404.
/// Thread-safe.
class HttpListener {
 public:
  /// Ready to accept when it returns. `page` is called for each request, on the listener's own
  /// thread, and must not call it. invalid_argument if `address` (`host:port`) makes no sense,
  /// io_error if it cannot be had.
  static Result<std::unique_ptr<HttpListener>> open(const std::string& address,
                                                    std::function<std::string()> page);
  virtual ~HttpListener() = default;
  /// `host:port`, with the port that was given.
  virtual const std::string& address() const noexcept = 0;
  /// Closes all connections; from another thread than its own.
  virtual void close() = 0;
};

}  // namespace millrace::inline v0::transport
