#pragma once
#include <millrace/core/bytes.hpp>
#include <string>
#include <utility>

namespace millrace::inline v0::cli::bench {

/// A blocking TCP socket over loopback, for what limits are measured with.
class Socket {
 public:
  explicit Socket(int descriptor);
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket();

  void write(const std::byte* from, std::size_t bytes) const;
  /// At least one byte; how many.
  std::size_t read(MutableBytes to) const;
  /// So much of an open file from its begin on, without a copy into this process.
  void send_file(int file, std::size_t bytes) const;

 private:
  int descriptor_;
};

/// Says on the standard output at which port, and waits for who connects there.
Socket accept_one();
Socket connect_to(const std::string& port);

}  // namespace millrace::inline v0::cli::bench
