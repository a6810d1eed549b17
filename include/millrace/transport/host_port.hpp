#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::inline v0::transport {

struct HostPort {
  std::string host;  ///< an IPv6 address without its brackets
  std::uint16_t port = 0;
};

/// Takes `host:port` or `[v6]:port` apart; nothing if it is neither.
std::optional<HostPort> parse_host_port(std::string_view text);
/// Puts it together again.
std::string to_text(const HostPort& address);

}  // namespace millrace::inline v0::transport
