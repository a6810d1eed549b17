#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <millrace/core/bytes.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace millrace_test {

/// A blocking socket that knows frames and nothing else.
class PlainClient {
 public:
  /// To an address as a listener gives it.
  explicit PlainClient(const std::string& address) {
    if (address.starts_with("unix:")) {
      sockaddr_un at{};
      at.sun_family = AF_UNIX;
      address.substr(5).copy(at.sun_path, sizeof at.sun_path - 1);
      connect_to(AF_UNIX, reinterpret_cast<const sockaddr*>(&at), sizeof at);
      return;
    }
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect_to(AF_INET, reinterpret_cast<const sockaddr*>(&at), sizeof at);
  }
  PlainClient(PlainClient&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  PlainClient& operator=(PlainClient&&) = delete;
  ~PlainClient() {
    if (socket_ >= 0) ::close(socket_);
  }

  bool is_connected() const noexcept { return is_connected_; }

  bool send(const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const auto n = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return false;
      sent += static_cast<std::size_t>(n);
    }
    return true;
  }
  static std::string framed(const std::string& body) {
    std::string frame(4, '\0');
    millrace::store_big(reinterpret_cast<std::byte*>(frame.data()),
                        static_cast<std::int32_t>(body.size()));
    return frame + body;
  }
  bool send_frame(const std::string& body) { return send(framed(body)); }

  /// The next frame; nothing if the connection was closed.
  std::optional<std::string> receive() {
    const auto length = read(4);
    if (!length) return std::nullopt;
    const auto size =
        millrace::load_big<std::int32_t>(reinterpret_cast<const std::byte*>(length->data()));
    return read(static_cast<std::size_t>(size));
  }
  /// Whether the other side closes without another byte.
  bool is_closed_by_peer() {
    char byte = 0;
    return ::recv(socket_, &byte, 1, 0) <= 0;
  }
  int descriptor() const noexcept { return socket_; }

 private:
  void connect_to(int family, const sockaddr* at, socklen_t size) {
    socket_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    is_connected_ = ::connect(socket_, at, size) == 0;
  }
  std::optional<std::string> read(std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t have = 0;
    while (have < size) {
      const auto n = ::recv(socket_, bytes.data() + have, size - have, 0);
      if (n <= 0) return std::nullopt;
      have += static_cast<std::size_t>(n);
    }
    return bytes;
  }

  int socket_ = -1;
  bool is_connected_ = false;
};

}  // namespace millrace_test
