#pragma once
#include <string>

namespace millrace::inline v0::server {

class ServerState;

/// What a server has done and holds, in Prometheus' text format (version 0.0.4).
std::string metrics_page(ServerState& state, std::size_t connections);

}  // namespace millrace::inline v0::server
