#include "protocol/message_decoder.hpp"

#include <fmt/format.h>

namespace millrace::inline v0::protocol {

MessageDecoder::MessageDecoder(Bytes body, ApiVersion version, bool flexible,
                               const DecodeOptions& options)
    : reader_(body),
      version_(version),
      flexible_(flexible),
      accept_left_over_(options.accept_left_over),
      memory_left_(
          options.memory_bytes.value_or(DecodeOptions::default_memory_bytes(body.size()))) {}

Result<void> MessageDecoder::finish(const char* message_name) const {
  const bool is_whole = reader_.ok() && (accept_left_over_ || reader_.remaining() == 0);
  if (is_whole && !is_out_of_memory_) return {};
  const std::string doing =
      fmt::format("reading {} v{}{}{}", message_name, version_, path_.empty() ? "" : ": ", path_);
  if (is_out_of_memory_) {
    return Error(Errc::corrupt_data,
                 fmt::format("{}: it would take more memory than a body of its size may; the bytes "
                             "are damaged, or allow more memory",
                             doing));
  }
  return accept_left_over_ ? reader_.check(doing) : reader_.finish(doing);
}

std::optional<std::string_view> MessageDecoder::text() {
  const auto value = flexible_ ? reader_.compact_nullable_string() : reader_.nullable_string();
  if (value) take_memory(value->size());
  return value;
}

std::optional<Bytes> MessageDecoder::byte_string() {
  return flexible_ ? reader_.compact_nullable_bytes() : reader_.nullable_bytes();
}

std::optional<std::size_t> MessageDecoder::count(std::size_t least_element_bytes,
                                                 std::size_t element_memory) {
  const auto value = flexible_ ? reader_.compact_nullable_array_count(least_element_bytes)
                               : reader_.nullable_array_count(least_element_bytes);
  // No product overflows: there are at most as many elements as bytes in the body.
  if (value) take_memory(*value * element_memory);
  return reader_.ok() ? value : std::nullopt;
}

void MessageDecoder::take_memory(std::size_t bytes) {
  if (bytes <= memory_left_) {
    memory_left_ -= bytes;
    return;
  }
  is_out_of_memory_ = true;
  reader_.fail("what it would take in memory");
}

void MessageDecoder::read(std::string& field) {
  const auto value = text();
  if (!value) return reader_.fail("null for a string");
  if (reader_.ok()) field = *value;
}

void MessageDecoder::read(std::optional<std::string>& field) {
  const auto value = text();
  field.reset();
  if (value && reader_.ok()) {
    field = *value;
  } else if (!nullable_) {
    reader_.fail("null for a string");
  }
}

void MessageDecoder::read(Bytes& field) {
  const auto value = byte_string();
  if (!value) return reader_.fail("null for a byte string");
  field = *value;
}

void MessageDecoder::read(std::optional<Bytes>& field) {
  field = byte_string();
  if (!field && !nullable_) reader_.fail("null for a byte string");
}

bool MessageDecoder::next_tag() {
  if (tags_.is_pending) return true;
  if (!tags_.is_begun) tags_.left = reader_.unsigned_varint();
  tags_.is_begun = true;
  if (tags_.left == 0 || !reader_.ok()) return false;
  --tags_.left;
  const std::int64_t tag = reader_.unsigned_varint();
  if (tag <= tags_.tag) reader_.fail("a tag that does not follow the one before");
  tags_.tag = tag;
  tags_.size = reader_.unsigned_varint();
  tags_.is_pending = reader_.ok();
  return tags_.is_pending;
}

bool MessageDecoder::find_tag(std::uint32_t tag) {
  while (next_tag()) {
    if (tags_.tag >= tag) return tags_.tag == tag;
    pass_tag();
  }
  return false;
}

void MessageDecoder::pass_tags() {
  while (next_tag()) pass_tag();
}

void MessageDecoder::pass_tag() {
  reader_.take(tags_.size);
  tags_.is_pending = false;
}

void MessageDecoder::note(const char* name) {
  const bool is_last = path_.empty() || path_.front() == '[';
  path_ = fmt::format("{}{}{}", name, is_last ? "" : ".", path_);
}

void MessageDecoder::note_index(std::size_t index) {
  path_ = fmt::format("[{}]{}{}", index, path_.empty() ? "" : ".", path_);
}

}  // namespace millrace::inline v0::protocol
