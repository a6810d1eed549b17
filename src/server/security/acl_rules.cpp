#include "server/security/acl_rules.hpp"

#include <algorithm>

namespace millrace::inline v0::server {
namespace {

/// Kafka's: what may be done to something includes looking at it.
std::vector<Operation> implying(Operation operation) {
  using enum Operation;
  switch (operation) {
    case describe:
      return {describe, read, write, remove, alter};
    case describe_configs:
      return {describe_configs, alter_configs};
    default:
      return {operation};
  }
}

bool is_for(const AclRule& rule, const AccessRequest& request) {
  if (rule.resource_type != request.resource_type) return false;
  if (rule.host != "*" && rule.host != request.host) return false;
  return rule.principal == "User:*" || rule.principal == request.principal;
}

bool is_about(const AclRule& rule, const AccessRequest& request) {
  const std::string& name = rule.resource_name;
  if (request.resource_type == ResourceType::topic && request.resource_name == any_topic) {
    // Some topic may be meant by every rule that allows, all topics by one that denies all.
    return rule.permission == Permission::allow || name.empty() ||
           (name == "*" && rule.pattern == PatternType::literal);
  }
  if (rule.pattern == PatternType::prefixed) return request.resource_name.starts_with(name);
  return name == "*" || name == request.resource_name;
}

}  // namespace

bool AclRules::has(Permission permission, const AccessRequest& request, Operation operation) const {
  return std::ranges::any_of(rules_, [&](const AclRule& rule) {
    const bool is_operation = rule.operation == operation || rule.operation == Operation::all;
    return rule.permission == permission && is_operation && is_for(rule, request) &&
           is_about(rule, request);
  });
}

bool AclRules::allows(const AccessRequest& request) const {
  if (std::ranges::find(super_users_, request.principal) != super_users_.end()) return true;
  if (has(Permission::deny, request, request.operation)) return false;
  return std::ranges::any_of(implying(request.operation), [&](Operation operation) {
    return has(Permission::allow, request, operation);
  });
}

}  // namespace millrace::inline v0::server
