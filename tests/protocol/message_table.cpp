#include "support/message_table.hpp"

#include "support/all_messages.hpp"

namespace millrace::test {
namespace {

std::vector<std::byte> joined(const MessageWriter& writer) {
  std::vector<std::byte> all;
  for (const Bytes piece : writer.pieces()) all.insert(all.end(), piece.begin(), piece.end());
  return all;
}

template <typename M>
Result<std::string> text_of(Bytes body, ApiVersion version, const DecodeOptions& options) {
  MILLRACE_TRY(const M decoded, MessageCodec<M>::decode(body, version, options));
  return MessageCodec<M>::to_text(decoded, version);
}

template <typename M>
Result<std::vector<std::byte>> copy_of(Bytes body, ApiVersion version) {
  MILLRACE_TRY(const M decoded, MessageCodec<M>::decode(body, version));
  MessageWriter writer;
  MILLRACE_CHECK(MessageCodec<M>::encode(decoded, version, writer));
  return joined(writer);
}

}  // namespace

const std::vector<MessageKind>& all_message_kinds() {
  static const std::vector<MessageKind> kinds = [] {
    std::vector<MessageKind> all;
    for_each_message([&]<typename M>() {
      all.push_back({M::name, M::api_key, M::versions, M::flexible, text_of<M>, copy_of<M>});
    });
    return all;
  }();
  return kinds;
}

const MessageKind* find_message_kind(std::string_view name) {
  for (const MessageKind& kind : all_message_kinds())
    if (kind.name == name) return &kind;
  return nullptr;
}

}  // namespace millrace::test
