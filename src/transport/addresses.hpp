#pragma once
#include <millrace/transport/listener.hpp>
#include <string>

#include "transport/asio.hpp"

namespace millrace::inline v0::transport {

inline constexpr std::string_view unix_prefix = "unix:";

/// Finds the endpoint of `host:port` or `[v6]:port`.
Result<asio::ip::tcp::endpoint> tcp_endpoint(const std::string& text);
/// The endpoint of a path; a path may be longer than a socket's name can be.
Result<asio::local::stream_protocol::endpoint> unix_endpoint(const std::string& path);

std::string to_text(const asio::ip::tcp::endpoint& endpoint);

}  // namespace millrace::inline v0::transport
