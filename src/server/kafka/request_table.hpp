#pragma once
#include <cstdint>
#include <millrace/protocol/api_table.hpp>
#include <span>

#include "server/kafka/request.hpp"

namespace millrace::inline v0::server {

/// Who answers an API, and where.
struct RequestHandler {
  enum class Where : std::uint8_t {
    loop,    ///< on the connection's thread: it waits for nothing. More may come meanwhile
    worker,  ///< it may wait for a disk; no other request of the connection is begun before
             ///< this one is answered
  };
  protocol::ApiKey key;
  Where where;
  void (*handle)(Request request);
};

/// All that is served, by ascending key; what is not in it is not advertised.
std::span<const RequestHandler> request_table() noexcept;
/// nullptr if that API is not served.
const RequestHandler* find_handler(protocol::ApiKey key) noexcept;

/// The usual handler: reads the request, answers it with what `Answer` returns.
template <typename Message, auto AnswerTo>
void answer_with(Request request) {
  const auto message = request.read<Message>();
  if (!message) return request.refuse(message.error());
  request.respond(AnswerTo(*message, request));
}

}  // namespace millrace::inline v0::server
