#include <fmt/format.h>

#include <millrace/protocol/api_table.hpp>
#include <millrace/protocol/headers.hpp>
#include <millrace/protocol/wire.hpp>

namespace millrace::inline v0::protocol {
namespace {

bool is_flexible(ApiKey key, ApiVersion version) noexcept {
  const ApiRange* const api = find_api(key);
  return api != nullptr && api->flexible.contains(version);
}

}  // namespace

std::int16_t request_header_version(ApiKey key, ApiVersion version) noexcept {
  return is_flexible(key, version) ? 2 : 1;
}

std::int16_t response_header_version(ApiKey key, ApiVersion version) noexcept {
  return key != ApiKey::api_versions && is_flexible(key, version) ? 1 : 0;
}

Result<Request> read_request(Bytes frame) {
  WireReader reader(frame);
  RequestHeader header;
  header.api_key = static_cast<ApiKey>(reader.int16());
  header.api_version = reader.int16();
  header.correlation_id = reader.int32();
  // Its length is never compact, so that it can be read whatever the version is.
  if (const auto client_id = reader.nullable_string()) header.client_id = *client_id;
  if (request_header_version(header.api_key, header.api_version) >= 2) reader.skip_tagged_fields();
  MILLRACE_CHECK(reader.check("reading the header of a request"));
  if (find_api(header.api_key) == nullptr) {
    return Error(Errc::unsupported,
                 fmt::format("reading the header of a request: there is no API {} here; close the "
                             "connection, since nothing can be answered",
                             static_cast<int>(header.api_key)));
  }
  const Bytes body = frame.subspan(reader.position());
  return Request{std::move(header), body};
}

Result<void> write_request_header(const RequestHeader& header, MessageWriter& to) {
  WireWriter writer = to.wire();
  writer.int16(static_cast<std::int16_t>(header.api_key));
  writer.int16(header.api_version);
  writer.int32(header.correlation_id);
  writer.nullable_string(header.client_id);
  if (request_header_version(header.api_key, header.api_version) >= 2) writer.tagged_field_count(0);
  return writer.finish("writing the header of a request: the client id");
}

Result<Response> read_response(Bytes frame, ApiKey key, ApiVersion version) {
  WireReader reader(frame);
  const std::int32_t correlation_id = reader.int32();
  if (response_header_version(key, version) >= 1) reader.skip_tagged_fields();
  MILLRACE_CHECK(reader.check("reading the header of a response"));
  return Response{correlation_id, frame.subspan(reader.position())};
}

void write_response_header(const RequestHeader& request, MessageWriter& to) {
  WireWriter writer = to.wire();
  writer.int32(request.correlation_id);
  if (response_header_version(request.api_key, request.api_version) >= 1)
    writer.tagged_field_count(0);
}

}  // namespace millrace::inline v0::protocol
