#pragma once
#include <cstdint>
#include <millrace/core/bytes.hpp>
#include <millrace/core/result.hpp>
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/message_writer.hpp>
#include <millrace/protocol/versions.hpp>
#include <optional>
#include <string>

namespace millrace::inline v0::protocol {

/// What stands in front of the body in a frame of a request.
struct RequestHeader {
  ApiKey api_key = {};
  /// May be one that find_api() does not have: ApiVersions is answered in v0 then, any other
  /// request by closing the connection.
  ApiVersion api_version = 0;
  std::int32_t correlation_id = 0;
  std::optional<std::string> client_id = {};
};

struct Request {
  RequestHeader header;
  /// Points into the frame.
  Bytes body;
};

/// Kafka's versions of the two headers, which follow from that of the body. A key that is not known
/// is taken for one without flexible versions.
std::int16_t request_header_version(ApiKey key, ApiVersion version) noexcept;
/// ApiVersions has 0 in all versions: who asks does not know yet what the server understands.
std::int16_t response_header_version(ApiKey key, ApiVersion version) noexcept;

/// Takes a frame, without its length, apart. Errc::corrupt_data if it is cut short or makes no
/// sense, Errc::unsupported if there is no such API: nobody knows then where the body begins.
Result<Request> read_request(Bytes frame);
/// Appends the header; Errc::invalid_argument if the client id is longer than the format can say.
Result<void> write_request_header(const RequestHeader& header, MessageWriter& to);

struct Response {
  std::int32_t correlation_id = 0;
  /// Points into the frame.
  Bytes body;
};

/// Takes a frame, without its length, apart, which answers such a request. Errc::corrupt_data if it
/// is cut short or makes no sense.
Result<Response> read_response(Bytes frame, ApiKey key, ApiVersion version);
/// Appends the header of the response to `request`.
void write_response_header(const RequestHeader& request, MessageWriter& to);

}  // namespace millrace::inline v0::protocol
