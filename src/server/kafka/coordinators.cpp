#include "server/kafka/handlers.hpp"

namespace millrace::inline v0::server {

using namespace protocol;

FindCoordinatorResponse find_coordinator(const FindCoordinatorRequest& message,
                                         const Request& request) {
  constexpr std::int8_t transaction = 1;
  const NodeEndpoint here = endpoint_of(request);
  FindCoordinatorResponse response;
  response.node_id = here.node_id;
  response.host = here.host;
  response.port = here.port;
  if (message.key_type < 0 || message.key_type > transaction) {
    response.error_code = WireError::invalid_request;
    response.error_message = "there are coordinators of groups (0) and of transactions (1)";
  }
  for (const std::string& key : message.coordinator_keys) {
    response.coordinators.push_back({.key = key,
                                     .node_id = here.node_id,
                                     .host = here.host,
                                     .port = here.port,
                                     .error_code = response.error_code});
  }
  return response;
}

}  // namespace millrace::inline v0::server
