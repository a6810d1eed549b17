#include "server/kafka/request.hpp"

#include <fmt/format.h>

#include "server/kafka/server_state.hpp"

namespace millrace::inline v0::server {

void Request::begin_response(protocol::MessageWriter& writer) const {
  writer.begin_frame();
  protocol::write_response_header(header_, writer);
}

void Request::end_response(const Result<void>& written, protocol::MessageWriter&& writer,
                           Pins pins) {
  if (!written) return refuse(written.error());
  count(writer.size_bytes());
  transport::OutgoingFrame frame;
  for (const auto& borrowed : writer.borrowed()) {
    frame.inserts.push_back({borrowed.own_bytes_before, borrowed.bytes});
  }
  frame.bytes = std::move(writer.own_bytes());
  frame.pins = std::move(pins);
  answer_.send(std::move(frame));
}

void Request::count(std::size_t response_bytes) const {
  ApiMetrics* const metrics = client_->state.metrics().of(header_.api_key);
  if (metrics == nullptr) return;
  metrics->request_bytes.fetch_add(body_.size(), std::memory_order_relaxed);
  metrics->response_bytes.fetch_add(response_bytes, std::memory_order_relaxed);
  metrics->durations.add(std::chrono::steady_clock::now() - began_);
}

void Request::respond_with_nothing() {
  count(0);
  answer_.send_nothing();
}

bool Request::may(Operation operation, ResourceType type, std::string_view name) const {
  const Authorizer& authorizer = client_->state.security().authorizer;
  if (authorizer == nullptr || client_->peer.is_local) return true;
  return authorizer({.principal = client_->principal,
                     .host = client_->host,
                     .operation = operation,
                     .resource_type = type,
                     .resource_name = name});
}

std::int32_t Request::charge(Quotas::Direction direction, std::size_t bytes) {
  const auto how_long =
      client_->state.quotas().take(client_id(), direction, bytes, std::chrono::steady_clock::now());
  if (how_long.count() > 0) answer_.pause_reading(how_long);
  return static_cast<std::int32_t>(how_long.count());
}

void Request::refuse(const Error& why) {
  if (ApiMetrics* const metrics = client_->state.metrics().of(header_.api_key)) {
    metrics->refused.fetch_add(1, std::memory_order_relaxed);
  }
  client_->state.report(Error(
      why.code(), fmt::format("closed the connection of {} after its {} request of version {}: {}",
                              client_->peer.address, protocol::api_name(header_.api_key),
                              header_.api_version, why.message())));
  answer_ = {};
}

}  // namespace millrace::inline v0::server
