#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <millrace/transport/channel.hpp>
#include <millrace/transport/host_port.hpp>
#include <utility>

namespace millrace::inline v0::transport {
namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t usual_buffer_bytes = 256u << 10;

timeval to_timeval(std::chrono::milliseconds time) {
  timeval to{};
  to.tv_sec = static_cast<time_t>(time.count() / 1000);
  to.tv_usec = static_cast<suseconds_t>(time.count() % 1000 * 1000);
  return to;
}

void set_socket_timeout(int socket, int which, std::chrono::milliseconds time) {
  const timeval to = to_timeval(time);
  ::setsockopt(socket, SOL_SOCKET, which, &to, sizeof to);
}

/// 0, or what went wrong.
int connect_to(int socket, const sockaddr* at, socklen_t size) {
  while (::connect(socket, at, size) != 0) {
    // A connection whose time is up is still "in progress".
    if (errno == EINPROGRESS) return ETIMEDOUT;
    if (errno != EINTR) return errno;
  }
  return 0;
}

Error cannot_connect(const std::string& address, int os_code) {
  return Error::from_os(fmt::format("connecting to {} (is a broker listening there?)", address),
                        os_code);
}

Result<int> open_local(const PeerAddress& peer, const ChannelOptions& options) {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  const SocketPath path(peer.host);
  if (path.name().size() >= sizeof at.sun_path) return cannot_connect(peer.text(), ENAMETOOLONG);
  path.name().copy(at.sun_path, sizeof at.sun_path - 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return Error::from_os("making a socket", errno);
  set_socket_timeout(socket, SO_SNDTIMEO, options.connect_timeout);
  if (const int failed = connect_to(socket, reinterpret_cast<const sockaddr*>(&at), sizeof at)) {
    ::close(socket);
    return cannot_connect(peer.text(), failed);
  }
  return socket;
}

using Found = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Result<Found> resolve(const PeerAddress& peer) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(peer.host.c_str(), peer.port.c_str(), &hints, &found);
  if (failed == 0) return Found(found, ::freeaddrinfo);
  return Error(Errc::io_error, fmt::format("cannot find the host of address {}: {}", peer.text(),
                                           ::gai_strerror(failed)));
}

Result<int> open_tcp(const PeerAddress& peer, const ChannelOptions& options) {
  MILLRACE_TRY(const Found found, resolve(peer));
  int failed = EADDRNOTAVAIL;
  for (const addrinfo* at = found.get(); at != nullptr; at = at->ai_next) {
    const int socket = ::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return Error::from_os("making a socket", errno);
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    set_socket_timeout(socket, SO_SNDTIMEO, options.connect_timeout);
    failed = connect_to(socket, at->ai_addr, at->ai_addrlen);
    if (failed == 0) return socket;
    ::close(socket);
  }
  return cannot_connect(peer.text(), failed);
}

}  // namespace

SocketPath::SocketPath(const std::string& path) : name_(path) {
  const std::size_t slash = path.rfind('/');
  if (path.size() < sizeof(sockaddr_un::sun_path) || slash == std::string::npos) return;
  folder_ = ::open(path.substr(0, slash + 1).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder_ >= 0) name_ = fmt::format("/proc/self/fd/{}{}", folder_, path.substr(slash));
}

SocketPath::~SocketPath() {
  if (folder_ >= 0) ::close(folder_);
}

std::string PeerAddress::text() const {
  if (is_local()) return "unix:" + host;
  return to_text(HostPort{host, static_cast<std::uint16_t>(std::stoi(port))});
}

Result<PeerAddress> parse_peer(const std::string& text) {
  constexpr std::string_view local = "unix:";
  if (text.starts_with(local) && text.size() > local.size()) {
    return PeerAddress{.host = text.substr(local.size()), .port = {}};
  }
  auto address = parse_host_port(text);
  if (!address || address->port == 0) {
    return Error(Errc::invalid_argument,
                 fmt::format("'{}' is no address of a broker: give HOST:PORT, for example "
                             "127.0.0.1:9092, [::1]:9092, or unix:/path/of/its/socket",
                             text));
  }
  return PeerAddress{.host = std::move(address->host), .port = std::to_string(address->port)};
}

Result<Channel> Channel::open(const std::string& address, const ChannelOptions& options) {
  MILLRACE_TRY(const PeerAddress peer, parse_peer(address));
  MILLRACE_TRY(const int socket,
               peer.is_local() ? open_local(peer, options) : open_tcp(peer, options));
  return Channel(socket, peer.text(), options);
}

Channel::Channel(int socket, std::string address, const ChannelOptions& options)
    : socket_(socket), address_(std::move(address)), options_(options) {
  set_timeout(options_.timeout);
}

void Channel::set_timeout(std::chrono::milliseconds timeout) {
  options_.timeout = timeout;
  set_socket_timeout(socket_, SO_SNDTIMEO, timeout);
  set_socket_timeout(socket_, SO_RCVTIMEO, timeout);
}

Channel::Channel(Channel&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      address_(std::move(other.address_)),
      options_(other.options_),
      buffer_(std::move(other.buffer_)),
      begin_(other.begin_),
      end_(other.end_) {}

Channel& Channel::operator=(Channel&& other) noexcept {
  Channel old(std::move(*this));
  socket_ = std::exchange(other.socket_, -1);
  address_ = std::move(other.address_);
  options_ = other.options_;
  buffer_ = std::move(other.buffer_);
  begin_ = other.begin_;
  end_ = other.end_;
  return *this;
}

Channel::~Channel() {
  if (socket_ >= 0) ::close(socket_);
}

void Channel::interrupt() const noexcept {
  ::shutdown(socket_, SHUT_RDWR);
}

Error Channel::failed(std::string_view doing, int os_code) const {
  if (os_code == EAGAIN || os_code == EWOULDBLOCK) {
    return {Errc::io_error,
            fmt::format("{} {}: nothing moved for {} ms; look whether the broker is well", doing,
                        address_, options_.timeout.count()),
            ETIMEDOUT};
  }
  return Error::from_os(fmt::format("{} {}", doing, address_), os_code);
}

Result<void> Channel::send(std::span<const Bytes> pieces) {
  constexpr std::size_t most_at_once = 64;
  std::array<iovec, most_at_once> parts;
  std::size_t skip = 0;  // of the first piece
  while (!pieces.empty()) {
    const std::size_t count = std::min(pieces.size(), most_at_once);
    for (std::size_t i = 0; i < count; ++i) {
      const Bytes piece = i == 0 ? pieces[0].subspan(skip) : pieces[i];
      parts[i] = {const_cast<std::byte*>(piece.data()), piece.size()};
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return failed("sending to", errno);
    }
    skip += static_cast<std::size_t>(sent);
    while (!pieces.empty() && skip >= pieces[0].size()) {
      skip -= pieces[0].size();
      pieces = pieces.subspan(1);
    }
  }
  return {};
}

bool Channel::has_frame() const noexcept {
  if (buffered() < length_bytes) return false;
  const auto length = load_big<std::int32_t>(buffer_.data() + begin_);
  return length >= 0 && buffered() - length_bytes >= static_cast<std::size_t>(length);
}

/// What recv(2) returns.
std::ptrdiff_t Channel::receive_into(MutableBytes memory) {
  using std::chrono::steady_clock;
  if (look_.is_due()) {
    const auto until = steady_clock::now() + BriefLook::length;
    do {
      const ssize_t got = ::recv(socket_, memory.data(), memory.size(), MSG_DONTWAIT);
      if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) continue;
      look_.found();
      return got;
    } while (steady_clock::now() < until);
    look_.missed();
  }
  return ::recv(socket_, memory.data(), memory.size(), 0);
}

/// Until the buffer holds so many bytes.
Result<void> Channel::read_some(std::size_t wanted_bytes) {
  if (buffer_.size() - begin_ < wanted_bytes) {
    if (buffered() > 0) std::memmove(buffer_.data(), buffer_.data() + begin_, buffered());
    end_ -= std::exchange(begin_, 0);
    if (buffer_.size() < wanted_bytes) buffer_.resize(std::max(wanted_bytes, usual_buffer_bytes));
  }
  while (buffered() < wanted_bytes) {
    const std::ptrdiff_t got = receive_into(MutableBytes(buffer_).subspan(end_));
    if (got > 0) {
      end_ += static_cast<std::size_t>(got);
    } else if (got == 0) {
      return Error(Errc::io_error,
                   fmt::format("{} closed the connection; its own log says why", address_),
                   ECONNRESET);
    } else if (errno != EINTR) {
      return failed("waiting for an answer of", errno);
    }
  }
  return {};
}

Result<Bytes> Channel::receive() {
  if (begin_ == end_) begin_ = end_ = 0;
  MILLRACE_CHECK(read_some(length_bytes));
  const auto length = load_big<std::int32_t>(buffer_.data() + begin_);
  if (length < 0 || static_cast<std::size_t>(length) > options_.most_frame_bytes) {
    return Error(Errc::corrupt_data,
                 fmt::format("{} sent a frame of {} bytes, more than the {} allowed: is it a "
                             "broker, and not an encrypted port?",
                             address_, length, options_.most_frame_bytes));
  }
  const auto size = static_cast<std::size_t>(length);
  MILLRACE_CHECK(read_some(length_bytes + size));
  const Bytes frame(buffer_.data() + begin_ + length_bytes, size);
  begin_ += length_bytes + size;
  return frame;
}

}  // namespace millrace::inline v0::transport
