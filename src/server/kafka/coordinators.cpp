#include "server/kafka/handlers.hpp"
#include "server/kafka/server_state.hpp"
#include "server/wire_errors.hpp"

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

InitProducerIdResponse init_producer_id(const InitProducerIdRequest& message,
                                        const Request& request) {
  InitProducerIdResponse response;
  if (message.transactional_id && !message.transactional_id->empty()) {
    const auto transactions = request.state().transactions();
    response.error_code = to_wire(transactions);
    if (!transactions) return response;
    coordinator::InitProducerRequest wanted{
        .transactional_id = *message.transactional_id,
        .timeout = std::chrono::milliseconds(message.transaction_timeout_ms)};
    if (message.producer_id >= 0) {
      wanted.current = coordinator::ProducerEpoch{message.producer_id, message.producer_epoch};
    }
    const auto producer = (*transactions)->init_producer(wanted);
    response.error_code = to_wire(producer);
    if (!producer) return response;
    response.producer_id = producer->id;
    response.producer_epoch = producer->epoch;
    return response;
  }
  const auto identity = request.state().broker().take_producer_id();
  response.error_code = to_wire(identity);
  if (!identity) return response;
  response.producer_id = identity->id;
  response.producer_epoch = identity->epoch;
  return response;
}

}  // namespace millrace::inline v0::server
