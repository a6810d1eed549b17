#pragma once
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/versions.hpp>
#include <span>
#include <string_view>

namespace millrace::inline v0::protocol {

/// An API that has messages here, with the versions in which they can be read and written.
struct ApiRange {
  ApiKey key;
  std::string_view name;
  Versions versions;
  /// Those with tagged fields and compact lengths, in the bodies and the headers; they may go
  /// beyond `versions`.
  Versions flexible;
};

/// All of them, by ascending key. Minimum versions are as low as they are because clients draw
/// conclusions from them: librdkafka takes lz4 for unsupported without FindCoordinator v0, and
/// other codecs without Produce v0. Valid for ever.
std::span<const ApiRange> api_table() noexcept;

/// nullptr if there is none of that key.
const ApiRange* find_api(ApiKey key) noexcept;

}  // namespace millrace::inline v0::protocol
