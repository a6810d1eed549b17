#include "server/kafka/handlers.hpp"

namespace millrace::inline v0::server {

using namespace protocol;

FindCoordinatorResponse find_coordinator(const FindCoordinatorRequest& message,
                                         const Request& request) {
  constexpr std::int8_t transaction = 1;
  constexpr ApiVersion first_with_many = 4;
  const NodeEndpoint here = endpoint_of(request);
  FindCoordinatorResponse response;
  response.node_id = here.node_id;
  response.host = here.host;
  response.port = here.port;
  const auto refused = [&](const std::string& key) {
    if (message.key_type == transaction) {
      return request.may_transactional_id(Operation::describe, key)
                 ? WireError::none
                 : WireError::transactional_id_authorization_failed;
    }
    return request.may_group(Operation::describe, key) ? WireError::none
                                                       : WireError::group_authorization_failed;
  };
  if (message.key_type < 0 || message.key_type > transaction) {
    response.error_code = WireError::invalid_request;
    response.error_message = "there are coordinators of groups (0) and of transactions (1)";
  }
  const bool has_many = request.version() >= first_with_many;
  if (response.error_code == WireError::none && !has_many) {
    response.error_code = refused(message.key);
  }
  for (const std::string& key : message.coordinator_keys) {
    const bool is_known = response.error_code == WireError::none;
    response.coordinators.push_back({.key = key,
                                     .node_id = here.node_id,
                                     .host = here.host,
                                     .port = here.port,
                                     .error_code = is_known ? refused(key) : response.error_code});
  }
  return response;
}

}  // namespace millrace::inline v0::server
