#pragma once
#include <millrace/engine/broker_core.hpp>
#include <string>

namespace millrace::inline v0::detail {

/// Where the owner of a data directory lets those in who have attached to it; empty if it has none.
inline std::string owner_socket(const engine::BrokerCore& broker) {
  return broker.path() == ":memory:" ? std::string() : broker.path() + "/socket";
}

}  // namespace millrace::inline v0::detail
