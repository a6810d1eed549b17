#pragma once
#include <cstdint>
#include <map>
#include <string>

namespace millrace::inline v0::server {

/// In bytes a second; 0 is no limit.
struct ByteRates {
  std::uint64_t producer = 0;  ///< of produce requests [producer_byte_rate]
  std::uint64_t consumer = 0;  ///< of what is fetched [consumer_byte_rate]
};

/// How much clients may send and fetch: all connections with the same client id together.
///
/// A token bucket that holds what one second brings: who was silent may use that at once. A request
/// is always answered, and at once; one that takes more than there is has to be paid off: the
/// answer says how long that takes (ThrottleTimeMs), and for so long the connection is not read (as
/// in Kafka since 2.0, KIP-219). Others are not slowed.
struct QuotaOptions {
  ByteRates of_each = {};  ///< of every client id that is not named below
  std::map<std::string, ByteRates, std::less<>> by_client_id = {};
};

}  // namespace millrace::inline v0::server
