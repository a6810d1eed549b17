#pragma once
#include <fmt/format.h>

#include <millrace/listener.hpp>
#include <millrace/protocol/headers.hpp>
#include <millrace/protocol/message_codec.hpp>

#include "../../transport/plain_client.hpp"

namespace millrace_test {

/// Speaks Kafka's protocol over a blocking socket, one request at a time.
class WireClient {
 public:
  explicit WireClient(const millrace::Listener& listener, std::string client_id = "test")
      : client_(listener.address()), client_id_(std::move(client_id)) {}

  template <typename Response, typename Request>
  Response call(const Request& request, millrace::protocol::ApiVersion version) {
    send(request, version);
    return receive<Response>(version);
  }
  template <typename Request>
  void send(const Request& request, millrace::protocol::ApiVersion version) {
    using namespace millrace::protocol;
    MessageWriter writer;
    write_request_header({.api_key = Request::api_key,
                          .api_version = version,
                          .correlation_id = ++last_id_,
                          .client_id = client_id_},
                         writer)
        .value();
    MessageCodec<Request>::encode(request, version, writer).value();
    std::string body;
    for (const auto& piece : writer.pieces()) body += millrace::as_text(piece);
    client_.send_frame(body);
  }
  template <typename Response>
  Response receive(millrace::protocol::ApiVersion version) {
    using namespace millrace::protocol;
    received_ = client_.receive().value();
    const auto response =
        read_response(millrace::as_bytes(received_), Response::api_key, version).value();
    if (response.correlation_id != last_id_)
      throw std::runtime_error("an answer to another request");
    return MessageCodec<Response>::decode(response.body, version).value();
  }
  PlainClient& plain() noexcept { return client_; }

 private:
  PlainClient client_;
  const std::string client_id_;
  std::int32_t last_id_ = 0;
  std::string received_;  // byte strings of the last response point into it
};

}  // namespace millrace_test
