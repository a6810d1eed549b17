#include "server/kafka/handlers.hpp"

namespace millrace::inline v0::server {

using namespace protocol;

namespace {

constexpr std::int8_t group = 0;
constexpr std::int8_t transaction = 1;

struct Judgement {
  WireError error = WireError::none;
  const char* text = "";
};

/// Whether this broker is to be told of as the coordinator of `key`.
Judgement judge(const Request& request, std::int8_t key_type, const std::string& key) {
  if (key_type != group && key_type != transaction) {
    return {WireError::invalid_request,
            "there are coordinators of groups (0) and of transactions (1)"};
  }
  if (key_type == group && !request.may_group(Operation::describe, key)) {
    return {WireError::group_authorization_failed, "Group authorization failed."};
  }
  if (key_type == transaction && !request.may_transactional_id(Operation::describe, key)) {
    return {WireError::transactional_id_authorization_failed,
            "Transactional Id authorization failed."};
  }
  return {};
}

}  // namespace

FindCoordinatorResponse find_coordinator(const FindCoordinatorRequest& message,
                                         const Request& request) {
  constexpr ApiVersion first_with_many = 4;
  const NodeEndpoint here = endpoint_of(request);
  FindCoordinatorResponse response;
  response.node_id = here.node_id;
  response.host = here.host;
  response.port = here.port;
  if (request.version() < first_with_many) {
    const Judgement judged = judge(request, message.key_type, message.key);
    response.error_code = judged.error;
    response.error_message = judged.text;
  }
  for (const std::string& key : message.coordinator_keys) {
    const Judgement judged = judge(request, message.key_type, key);
    response.coordinators.push_back({.key = key,
                                     .node_id = here.node_id,
                                     .host = here.host,
                                     .port = here.port,
                                     .error_code = judged.error,
                                     .error_message = judged.text});
  }
  return response;
}

}  // namespace millrace::inline v0::server
