#include "bench_socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "bench_support.hpp"

namespace millrace::inline v0::cli::bench {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  return at;
}

int new_socket() {
  return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

[[noreturn]] void other_end_is_gone() {
  fail("the other end of a socket is gone");
}

}  // namespace

Socket::Socket(int descriptor) : descriptor_(descriptor) {
  if (descriptor_ < 0) fail("cannot make a socket");
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Socket::~Socket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Socket::write(const std::byte* from, std::size_t bytes) const {
  while (bytes > 0) {
    const ssize_t sent = ::send(descriptor_, from, bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) other_end_is_gone();
    from += sent;
    bytes -= static_cast<std::size_t>(sent);
  }
}

std::size_t Socket::read(MutableBytes to) const {
  for (;;) {
    const ssize_t got = ::recv(descriptor_, to.data(), to.size(), 0);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0 || errno != EINTR) other_end_is_gone();
  }
}

void Socket::send_file(int file, std::size_t bytes) const {
  for (off_t at = 0; static_cast<std::size_t>(at) < bytes;) {
    const ssize_t sent = ::sendfile(descriptor_, file, &at, bytes - static_cast<std::size_t>(at));
    if (sent == 0 || (sent < 0 && errno != EINTR)) other_end_is_gone();
  }
}

Socket accept_one() {
  const int listener = new_socket();
  const Socket closes_it(listener);
  sockaddr_in at = loopback(0);
  socklen_t size = sizeof at;
  auto* const address = reinterpret_cast<sockaddr*>(&at);
  if (::bind(listener, address, size) != 0 || ::listen(listener, 1) != 0 ||
      ::getsockname(listener, address, &size) != 0) {
    fail("cannot listen on the loopback address");
  }
  std::printf("%d\n", ntohs(at.sin_port));
  std::fflush(stdout);
  return Socket(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
}

Socket connect_to(const std::string& port) {
  const sockaddr_in at = loopback(std::stoi(port));
  const int descriptor = new_socket();
  Socket socket(descriptor);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
    fail("cannot connect to the other process");
  }
  return socket;
}

}  // namespace millrace::inline v0::cli::bench
