#include "transport/addresses.hpp"

#include <fmt/format.h>
#include <sys/un.h>

#include <millrace/transport/host_port.hpp>

namespace millrace::inline v0::transport {

Result<asio::ip::tcp::endpoint> tcp_endpoint(const std::string& text) {
  const auto address = parse_host_port(text);
  if (!address) {
    return Error(Errc::invalid_argument,
                 fmt::format("'{}' is no address: give host:port, for example 127.0.0.1:9092, "
                             "[::1]:0 or unix:/run/millrace.sock",
                             text));
  }
  ErrorCode failed;
  asio::io_context context;
  asio::ip::tcp::resolver resolver(context);
  const auto found = resolver.resolve(address->host, std::to_string(address->port), failed);
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
  return to_text(HostPort{endpoint.address().to_string(), endpoint.port()});
}

}  // namespace millrace::inline v0::transport
