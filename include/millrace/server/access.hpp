#pragma once
#include <cstdint>
#include <functional>
#include <string_view>

namespace millrace::inline v0::server {

/// Kafka's AclOperation.
enum class Operation : std::int8_t {
  all = 2,  ///< in rules; nobody is asked about it
  read = 3,
  write = 4,
  create = 5,
  remove = 6,
  alter = 7,
  describe = 8,
  cluster_action = 9,
  describe_configs = 10,
  alter_configs = 11,
  idempotent_write = 12,
};

/// Kafka's ResourceType.
enum class ResourceType : std::int8_t { topic = 2, group = 3, cluster = 4, transactional_id = 5 };

/// The name of the only resource of the type cluster.
inline constexpr std::string_view cluster_name = "kafka-cluster";
/// As the name of a topic: whether it may be done with any topic at all.
inline constexpr std::string_view any_topic = "*";

/// What a client wants to do. The views are valid during the call that they come with.
struct AccessRequest {
  std::string_view principal;  ///< "User:alice", or "User:ANONYMOUS"
  std::string_view host;       ///< its address, e.g. "10.0.0.7"
  Operation operation;
  ResourceType resource_type;
  std::string_view resource_name;
};

/// Whether it may. Called on any thread of the listener, several at once, for every topic of every
/// request: must be quick.
using Authorizer = std::function<bool(const AccessRequest&)>;

}  // namespace millrace::inline v0::server
