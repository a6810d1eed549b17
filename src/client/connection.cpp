#include <fmt/format.h>

#include <algorithm>
#include <millrace/client/connection.hpp>
#include <millrace/client/errors.hpp>
#include <millrace/protocol/api_table.hpp>
#include <millrace/protocol/messages/api_versions.hpp>

namespace millrace::inline v0::client {

using namespace protocol;

Result<std::unique_ptr<Connection>> Connection::open(const std::string& address,
                                                     const ConnectionOptions& options) {
  MILLRACE_TRY(auto channel, transport::Channel::open(address, options.channel));
  std::unique_ptr<Connection> connection(new Connection(std::move(channel), options.client_id));
  MILLRACE_CHECK(connection->negotiate());
  return connection;
}

Result<void> Connection::negotiate() {
  // Brokers answer versions that they do not know in version 0, and serve that always (KIP-511).
  served_ = {{ApiKey::api_versions, between(0, 3)}};
  const ApiVersionsRequest request{.client_software_name = "millrace",
                                   .client_software_version = "0"};
  MILLRACE_CHECK(send(request));
  MILLRACE_TRY(Answer answer, receive_any());
  auto response = MessageCodec<ApiVersionsResponse>::decode(answer.body, 3);
  if (!response || response->error_code == WireError::unsupported_version) {
    served_ = {{ApiKey::api_versions, only(0)}};
    response = call<ApiVersionsResponse>(request);
  }
  if (!response) return response.error();
  MILLRACE_CHECK(check(fmt::format("asking {} what it serves", address()), response->error_code));
  served_.clear();
  for (const auto& range : response->api_keys) {
    served_.push_back({range.api_key, between(range.min_version, range.max_version)});
  }
  return {};
}

Result<ApiVersion> Connection::version_of(ApiKey key, Versions ours) const {
  const auto found = std::find_if(served_.begin(), served_.end(),
                                  [&](const Range& range) { return range.key == key; });
  if (found != served_.end()) {
    const ApiVersion best = std::min(ours.last, found->versions.last);
    if (best >= std::max(ours.first, found->versions.first)) return best;
  }
  const ApiRange* api = find_api(key);
  return Error(Errc::unsupported,
               fmt::format("{} does not serve {} in a version between {} and {}", address(),
                           api != nullptr ? api->name : "it", ours.first, ours.last));
}

bool Connection::serves(ApiKey key) const noexcept {
  return std::any_of(served_.begin(), served_.end(),
                     [&](const Range& range) { return range.key == key; });
}

Result<void> Connection::begin(ApiKey key, ApiVersion version) {
  writer_.clear();
  frame_ = writer_.begin_frame();
  begun_ = {key, version, ++last_id_};
  return write_request_header(
      {.api_key = key, .api_version = version, .correlation_id = last_id_, .client_id = client_id_},
      writer_);
}

Result<void> Connection::finish() {
  MILLRACE_CHECK(writer_.end_frame(frame_));
  const auto pieces = writer_.pieces();
  MILLRACE_CHECK(channel_.send(pieces));
  unanswered_.push_back(begun_);
  return {};
}

Result<Connection::Answer> Connection::receive_any() {
  const Sent sent = unanswered_.front();
  unanswered_.pop_front();
  MILLRACE_TRY(const Bytes frame, channel_.receive());
  MILLRACE_TRY(const auto response, read_response(frame, sent.key, sent.version));
  if (response.correlation_id != sent.correlation_id) {
    return Error(Errc::corrupt_data,
                 fmt::format("{} answered request {} where {} was due; is it a Kafka broker?",
                             address(), response.correlation_id, sent.correlation_id));
  }
  return Answer{response.body, sent.version};
}

}  // namespace millrace::inline v0::client
