#include "server/kafka/operations.hpp"

#include "server/kafka/request.hpp"

namespace millrace::inline v0::server {
namespace {

using enum Operation;

struct Resource {
  ResourceType type;
  std::string_view name;
};

std::int32_t allowed(const Request& request, const Resource& resource,
                     std::initializer_list<Operation> operations) {
  std::int32_t bits = 0;
  for (const Operation operation : operations) {
    if (request.may(operation, resource.type, resource.name)) bits |= bits_of({operation});
  }
  return bits;
}

}  // namespace

std::int32_t topic_operations(const Request& request, std::string_view topic) {
  return allowed(request, {ResourceType::topic, topic},
                 {read, write, create, remove, alter, describe, describe_configs, alter_configs});
}

std::int32_t group_operations(const Request& request, std::string_view group) {
  return allowed(request, {ResourceType::group, group}, {read, remove, describe});
}

std::int32_t cluster_operations(const Request& request) {
  if (!request.may_cluster(describe)) return 0;
  return allowed(
      request, {ResourceType::cluster, cluster_name},
      {create, alter, describe, cluster_action, describe_configs, alter_configs, idempotent_write});
}

}  // namespace millrace::inline v0::server
