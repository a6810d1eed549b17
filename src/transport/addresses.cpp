#include "transport/addresses.hpp"

#include <fmt/format.h>
#include <sys/un.h>

#include <charconv>

namespace millrace::inline v0::transport {

Result<asio::ip::tcp::endpoint> tcp_endpoint(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto parsed = colon == std::string::npos
                          ? std::from_chars_result{text.data(), std::errc::invalid_argument}
                          : std::from_chars(text.data() + colon + 1, end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end || colon == 0) {
    return Error(Errc::invalid_argument,
                 fmt::format("'{}' is no address: give host:port, for example 127.0.0.1:9092, "
                             "[::1]:0 or unix:/run/millrace.sock",
                             text));
  }
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  ErrorCode failed;
  asio::io_context context;
  asio::ip::tcp::resolver resolver(context);
  const auto found = resolver.resolve(host, std::to_string(port), failed);
  if (failed || found.empty()) {
    return Error(Errc::invalid_argument,
                 fmt::format("cannot find the host of address '{}': {}", text, failed.message()));
  }
  return found.begin()->endpoint();
}

Result<asio::local::stream_protocol::endpoint> unix_endpoint(const std::string& path,
                                                             const SocketPath& named) {
  if (named.name().size() >= sizeof(sockaddr_un::sun_path)) {
    return Error(
        Errc::invalid_argument,
        fmt::format("the path of the socket {} is longer than the {} bytes that a socket's "
                    "name can have: use a shorter one",
                    path, sizeof(sockaddr_un::sun_path) - 1));
  }
  return asio::local::stream_protocol::endpoint(named.name());
}

std::string to_text(const asio::ip::tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return endpoint.address().is_v6() ? fmt::format("[{}]:{}", host, endpoint.port())
                                    : fmt::format("{}:{}", host, endpoint.port());
}

}  // namespace millrace::inline v0::transport
