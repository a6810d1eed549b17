#pragma once
#include <millrace/transport/channel.hpp>
#include <millrace/transport/listener.hpp>
#include <string>

#include "transport/asio.hpp"

namespace millrace::inline v0::transport {

inline constexpr std::string_view unix_prefix = "unix:";

/// Finds the endpoint of `host:port` or `[v6]:port`.
Result<asio::ip::tcp::endpoint> tcp_endpoint(const std::string& text);
/// The endpoint of a path, by the name that it was given.
Result<asio::local::stream_protocol::endpoint> unix_endpoint(const std::string& path,
                                                             const SocketPath& named);

std::string to_text(const asio::ip::tcp::endpoint& endpoint);

}  // namespace millrace::inline v0::transport
