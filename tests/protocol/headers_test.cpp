#include <millrace/protocol/api_table.hpp>
#include <millrace/protocol/headers.hpp>

#include "catch.hpp"
#include "support/bytes.hpp"

using namespace millrace;
using namespace millrace::protocol;
using millrace::test::from_hex;
using millrace::test::to_hex;

namespace {

std::string written(const RequestHeader& header) {
  MessageWriter writer;
  CHECK(write_request_header(header, writer));
  return to_hex(writer.own_bytes());
}

std::string answered(const RequestHeader& header) {
  MessageWriter writer;
  write_response_header(header, writer);
  return to_hex(writer.own_bytes());
}

}  // namespace

TEST_CASE("headers are those of the body's version", "[protocol]") {
  const RequestHeader fetch{ApiKey::fetch, 11, 7, "ab"};
  CHECK(written(fetch) ==
        "0001000b000000070002"
        "6162");
  CHECK(answered(fetch) == "00000007");
  const RequestHeader flexible{ApiKey::fetch, 12, 7, std::nullopt};
  CHECK(written(flexible) ==
        "0001000c00000007ffff"
        "00");
  CHECK(answered(flexible) ==
        "00000007"
        "00");
  const RequestHeader handshake{ApiKey::sasl_handshake, 1, 7, ""};
  CHECK(written(handshake) == "00110001000000070000");
  CHECK(answered(handshake) == "00000007");
}

TEST_CASE("the response to ApiVersions never has tags in its header", "[protocol]") {
  for (const ApiVersion version : std::initializer_list<ApiVersion>{0, 2, 3, 4, 99})
    CHECK(answered({ApiKey::api_versions, version, 7, ""}) == "00000007");
  CHECK(request_header_version(ApiKey::api_versions, 2) == 1);
  CHECK(request_header_version(ApiKey::api_versions, 3) == 2);
}

TEST_CASE("a request is taken apart into header and body", "[protocol]") {
  for (const ApiRange& api : api_table()) {
    for (ApiVersion version = api.versions.first; version <= api.versions.last; ++version) {
      for (const auto& client_id :
           {std::optional<std::string>(), std::optional<std::string>("me")}) {
        INFO(api.name << " v" << version);
        const auto frame = from_hex(written({api.key, version, -5, client_id}) + "c0ffee");
        const auto request = read_request(frame);
        REQUIRE(request);
        CHECK(request->header.api_key == api.key);
        CHECK(request->header.api_version == version);
        CHECK(request->header.correlation_id == -5);
        CHECK(request->header.client_id == client_id);
        CHECK(to_hex(request->body) == "c0ffee");
      }
    }
  }
}

TEST_CASE("the header of ApiVersions is read in versions that nobody knows yet", "[protocol]") {
  const auto frame = from_hex(
      "0012"
      "0063"
      "00000001"
      "0001"
      "63"
      "01"
      "0902aabb"
      "c0ffee");
  const auto request = read_request(frame);
  REQUIRE(request);
  CHECK(request->header.api_version == 99);
  CHECK(to_hex(request->body) == "c0ffee");
}

TEST_CASE("a header that is cut short is refused at every length", "[protocol]") {
  const auto frame = from_hex(
      "0001"
      "000c"
      "00000007"
      "0002"
      "6162"
      "01"
      "0501aa");
  for (std::size_t size = 0; size < frame.size(); ++size) {
    INFO(size);
    const auto request = read_request(Bytes(frame).first(size));
    REQUIRE_FALSE(request);
    CHECK(request.error().code() == Errc::corrupt_data);
  }
  CHECK(read_request(frame));
}

TEST_CASE("a request of no API is refused", "[protocol]") {
  const auto frame = from_hex(
      "0004"
      "0000"
      "00000007"
      "0000");
  const auto request = read_request(frame);
  REQUIRE_FALSE(request);
  CHECK(request.error().code() == Errc::unsupported);
  CHECK(request.error().message().find("there is no API 4 here") != std::string::npos);
}

TEST_CASE("a response is taken apart by what was asked", "[protocol]") {
  const auto frame = from_hex(
      "00000007"
      "01"
      "0501aa"
      "c0ffee");
  const auto flexible = read_response(frame, ApiKey::fetch, 12);
  REQUIRE(flexible);
  CHECK(flexible->correlation_id == 7);
  CHECK(to_hex(flexible->body) == "c0ffee");
  const auto plain = read_response(frame, ApiKey::fetch, 11);
  REQUIRE(plain);
  CHECK(to_hex(plain->body) == "010501aac0ffee");
  CHECK_FALSE(read_response(Bytes(frame).first(6), ApiKey::fetch, 12));
}
