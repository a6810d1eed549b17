#pragma once
#include <millrace/protocol/api_key.hpp>
#include <millrace/protocol/message_codec.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::test {

/// A kind of message without its type, so that a test of all is compiled once.
struct MessageKind {
  const char* name;
  protocol::ApiKey api_key;
  protocol::Versions versions;
  protocol::Versions flexible;
  /// The text of what was decoded.
  Result<std::string> (*text)(Bytes, protocol::ApiVersion, const protocol::DecodeOptions&);
  /// What was decoded, encoded again.
  Result<std::vector<std::byte>> (*copy)(Bytes, protocol::ApiVersion);
};

/// Every request and response there is, by ascending key.
const std::vector<MessageKind>& all_message_kinds();
/// nullptr if there is none of that name.
const MessageKind* find_message_kind(std::string_view name);

}  // namespace millrace::test
