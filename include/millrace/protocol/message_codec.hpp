#pragma once
#include <cstddef>
#include <millrace/core/bytes.hpp>
#include <millrace/core/result.hpp>
#include <millrace/protocol/message_writer.hpp>
#include <millrace/protocol/versions.hpp>
#include <optional>
#include <string>

namespace millrace::inline v0::protocol {

struct DecodeOptions {
  /// What the decoded arrays and texts may take; nullopt is default_memory_bytes().
  std::optional<std::size_t> memory_bytes = {};
  /// Kafka's broker leaves bytes behind the end of a request unread. Otherwise they are an error.
  bool accept_left_over = false;

  /// In proportion to the bytes that came, so that no frame of many empty structs becomes much more
  /// memory than was sent: room for names of one character in an array of structs.
  static constexpr std::size_t default_memory_bytes(std::size_t body_bytes) noexcept {
    return 16 * body_bytes + (std::size_t{64} << 10);
  }
};

/// Reads and writes the body of `M`, one of the structs of protocol/messages, without any header.
/// There is one for each of them. Stateless.
template <typename M>
struct MessageCodec {
  /// Byte strings and records of the result are views into `body`, all else is a copy. What the
  /// version does not have is at its default; tags that are not known are passed over.
  /// Errc::unsupported if the version is outside M::versions, Errc::corrupt_data, which names the
  /// field, if the bytes are not such a body or it would take more memory than is allowed.
  static Result<M> decode(Bytes body, ApiVersion version, const DecodeOptions& options = {});

  /// Appends the body; `to` borrows byte strings and records that are not short. What the version
  /// does not have is left out. Errc::unsupported if the version is outside M::versions,
  /// Errc::invalid_argument, which names the field, if something is null that the version has no
  /// null for or is longer than the format can say; then nothing was appended.
  static Result<void> encode(const M& from, ApiVersion version, MessageWriter& to);

  /// One line of JSON with Kafka's names of the fields that the version has; bytes and uuids are
  /// hex. It has everything that is in the body, passwords and whole batches too.
  static std::string to_text(const M& from, ApiVersion version);
};

}  // namespace millrace::inline v0::protocol
