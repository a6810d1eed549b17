#include "server/kafka/authentication.hpp"
#include "server/kafka/handlers.hpp"
#include "server/kafka/request_table.hpp"

namespace millrace::inline v0::server {

using namespace protocol;

ApiVersionsResponse api_versions(const ApiVersionsRequest&, const Request& request) {
  ApiVersionsResponse response;
  for (const RequestHandler& handler : request_table()) {
    if (!is_served(handler.key, request.client())) continue;
    const Versions& versions = find_api(handler.key)->versions;
    response.api_keys.push_back({handler.key, versions.first, versions.last});
  }
  return response;
}

void answer_unknown_api_versions(Request request) {
  const Versions& versions = find_api(ApiKey::api_versions)->versions;
  ApiVersionsResponse response;
  response.error_code = WireError::unsupported_version;
  response.api_keys.push_back({ApiKey::api_versions, versions.first, versions.last});
  request.set_version(0);
  request.respond(response);
}

}  // namespace millrace::inline v0::server
