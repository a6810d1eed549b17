#pragma once
#include <millrace/transport/channel.hpp>
#include <string>

namespace millrace::inline v0::detail {

/// Where the owner of a data directory lets those in who have attached to it; empty if it has none.
inline std::string owner_socket(const std::string& data) {
  return data == ":memory:" ? std::string() : data + "/socket";
}

inline bool is_served(const std::string& socket) {
  return transport::Channel::open("unix:" + socket).has_value();
}

}  // namespace millrace::inline v0::detail
