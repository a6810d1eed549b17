#pragma once
#include <millrace/protocol/message_codec.hpp>
#include <string_view>

#include "protocol/message_decoder.hpp"
#include "protocol/message_encoder.hpp"
#include "protocol/message_printer.hpp"

/// What a file of messages needs: for each struct that it has, a template
///
///   template <typename Io>
///   void describe(Io& io, HeartbeatRequest& m) {
///     io("GroupId", m.group_id);
///     io("GroupInstanceId", m.group_instance_id, since(3));
///   }
///
/// which names all fields in the order of the wire with the versions that have them, tagged fields
/// last; and for each message `template struct MessageCodec<HeartbeatRequest>;`. Decoder, encoder
/// and printer are the three kinds of Io. A description must read nothing from `m`: the decoder
/// fills it as it goes.
namespace millrace::inline v0::protocol {

/// Errc::unsupported if `version` is not one of `versions`.
Result<void> check_version(std::string_view doing, const char* message_name,
                           const Versions& versions, ApiVersion version);

template <typename M>
Result<M> MessageCodec<M>::decode(Bytes body, ApiVersion version, const DecodeOptions& options) {
  MILLRACE_CHECK(check_version("reading", M::name, M::versions, version));
  MessageDecoder io(body, version, M::flexible.contains(version), options);
  M into;
  io.structure(into);
  MILLRACE_CHECK(io.finish(M::name));
  return into;
}

template <typename M>
Result<void> MessageCodec<M>::encode(const M& from, ApiVersion version, MessageWriter& to) {
  MILLRACE_CHECK(check_version("writing", M::name, M::versions, version));
  const MessageWriter::Mark mark = to.mark();
  MessageEncoder io(to, version, M::flexible.contains(version));
  io.structure(from);
  if (auto written = io.finish(M::name); !written) {
    to.rollback(mark);
    return written;
  }
  return {};
}

template <typename M>
std::string MessageCodec<M>::to_text(const M& from, ApiVersion version) {
  MessagePrinter io(version);
  io.structure(from);
  return std::move(io).take_text();
}

}  // namespace millrace::inline v0::protocol
