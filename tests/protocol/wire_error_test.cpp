#include <millrace/protocol/wire_error.hpp>

#include "catch.hpp"

using namespace millrace::protocol;

TEST_CASE("error codes have Kafka's names", "[protocol]") {
  CHECK(wire_error_name(WireError::unknown_server_error) == "UNKNOWN_SERVER_ERROR");
  CHECK(wire_error_name(WireError::none) == "NONE");
  CHECK(wire_error_name(WireError::not_coordinator) == "NOT_COORDINATOR");
  CHECK(wire_error_name(WireError::unsupported_version) == "UNSUPPORTED_VERSION");
  CHECK(wire_error_name(WireError::fetch_session_id_not_found) == "FETCH_SESSION_ID_NOT_FOUND");
  CHECK(wire_error_name(WireError::invalid_record) == "INVALID_RECORD");
  CHECK(wire_error_name(WireError::unknown_topic_id) == "UNKNOWN_TOPIC_ID");
  CHECK(wire_error_name(WireError::share_session_limit_reached) == "SHARE_SESSION_LIMIT_REACHED");
  CHECK(wire_error_name(WireError{-2}) == "unknown error code");
  CHECK(wire_error_name(WireError{134}) == "unknown error code");
}

TEST_CASE("error codes have Kafka's numbers", "[protocol]") {
  CHECK(static_cast<int>(WireError::corrupt_message) == 2);
  CHECK(static_cast<int>(WireError::not_coordinator) == 16);
  CHECK(static_cast<int>(WireError::unsupported_version) == 35);
  CHECK(static_cast<int>(WireError::fetch_session_id_not_found) == 70);
  CHECK(static_cast<int>(WireError::unsupported_compression_type) == 76);
  CHECK(static_cast<int>(WireError::member_id_required) == 79);
  CHECK(static_cast<int>(WireError::invalid_record) == 87);
  CHECK(static_cast<int>(WireError::unknown_topic_id) == 100);
  CHECK(static_cast<int>(WireError::transaction_abortable) == 120);
}
