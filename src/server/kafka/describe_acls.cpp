#include <algorithm>

#include "server/kafka/admin_handlers.hpp"
#include "server/kafka/server_state.hpp"

namespace millrace::inline v0::server {
namespace {

using namespace protocol;

/// Kafka's numbers of what a filter takes besides one of a kind.
constexpr std::int8_t any = 1;
constexpr std::int8_t match = 2;

bool fits(std::int8_t filter, std::int8_t value) {
  return filter == any || filter == value;
}

bool fits(const std::optional<std::string>& filter, const std::string& value) {
  return !filter || *filter == value;
}

/// With `match` every rule that would hold for a resource of that name.
bool fits_resource(const DescribeAclsRequest& filter, const AclRule& rule) {
  const auto pattern = static_cast<std::int8_t>(rule.pattern);
  if (!fits(filter.resource_type_filter, static_cast<std::int8_t>(rule.resource_type))) {
    return false;
  }
  if (filter.pattern_type_filter != match || !filter.resource_name_filter) {
    return fits(filter.resource_name_filter, rule.resource_name) &&
           (filter.pattern_type_filter == match || fits(filter.pattern_type_filter, pattern));
  }
  const std::string& name = *filter.resource_name_filter;
  if (rule.pattern == PatternType::prefixed) return name.starts_with(rule.resource_name);
  return rule.resource_name == "*" || rule.resource_name == name;
}

bool fits_rule(const DescribeAclsRequest& filter, const AclRule& rule) {
  return fits_resource(filter, rule) && fits(filter.principal_filter, rule.principal) &&
         fits(filter.host_filter, rule.host) &&
         fits(filter.operation, static_cast<std::int8_t>(rule.operation)) &&
         fits(filter.permission_type, static_cast<std::int8_t>(rule.permission));
}

void add(const AclRule& rule, std::vector<DescribeAclsResponse::Resource>& resources) {
  const auto type = static_cast<std::int8_t>(rule.resource_type);
  const auto pattern = static_cast<std::int8_t>(rule.pattern);
  auto at = std::ranges::find_if(resources, [&](const auto& resource) {
    return resource.resource_type == type && resource.pattern_type == pattern &&
           resource.resource_name == rule.resource_name;
  });
  if (at == resources.end()) {
    at = resources.insert(at, {.resource_type = type,
                               .resource_name = rule.resource_name,
                               .pattern_type = pattern,
                               .acls = {}});
  }
  at->acls.push_back({.principal = rule.principal,
                      .host = rule.host,
                      .operation = static_cast<std::int8_t>(rule.operation),
                      .permission_type = static_cast<std::int8_t>(rule.permission)});
}

}  // namespace

DescribeAclsResponse describe_acls(const DescribeAclsRequest& message, const Request& request) {
  DescribeAclsResponse response;
  response.error_message.reset();
  if (!request.may_cluster(Operation::describe)) {
    response.error_code = WireError::cluster_authorization_failed;
    response.error_message = "no rule allows it";
    return response;
  }
  for (const AclRule& rule : request.state().security().rules->rules()) {
    if (fits_rule(message, rule)) add(rule, response.resources);
  }
  return response;
}

}  // namespace millrace::inline v0::server
