#include "protocol/message_encoder.hpp"

#include <fmt/format.h>

#include <array>

namespace millrace::inline v0::protocol {
namespace {

constexpr std::size_t longest_in_one_byte = 0x7f;

}  // namespace

Result<void> MessageEncoder::finish(const char* message_name) const {
  if (ok()) return {};
  const std::string doing = fmt::format("writing {} v{}: {}", message_name, version_, path_);
  if (is_null_refused_) {
    return Error(Errc::invalid_argument,
                 fmt::format("{}: it is null, which this version cannot say; give it a value, "
                             "or write another version",
                             doing));
  }
  return wire_.finish(doing);
}

bool MessageEncoder::check_null() {
  if (!nullable_) is_null_refused_ = true;
  return nullable_;
}

void MessageEncoder::write(const std::string& field) {
  flexible_ ? wire_.compact_string(field) : wire_.string(field);
}

void MessageEncoder::write(const std::optional<std::string>& field) {
  if (field) return write(*field);
  if (!check_null()) return;
  flexible_ ? wire_.compact_nullable_string(std::nullopt) : wire_.nullable_string(std::nullopt);
}

void MessageEncoder::write(Bytes field) {
  // Its length is written like the number of elements of an array, also when it is too long.
  count(field.size());
  if (!wire_.ok()) return;
  // What is tagged may still be moved, so nothing is borrowed there.
  tag_depth_ > 0 ? wire_.raw(field) : to_.borrow(field);
}

void MessageEncoder::write(const std::optional<Bytes>& field) {
  if (field) return write(*field);
  if (check_null()) count(std::nullopt);
}

void MessageEncoder::count(std::optional<std::size_t> elements) {
  flexible_ ? wire_.compact_array_count(elements) : wire_.array_count(elements);
}

std::size_t MessageEncoder::begin_tag(std::uint32_t tag) {
  std::vector<std::byte>& bytes = to_.own_bytes();
  if (tags_.count == 0) {
    tags_.count_at = bytes.size();
    bytes.push_back(std::byte{0});
  }
  ++tags_.count;
  bytes[tags_.count_at] = std::byte{tags_.count};
  wire_.unsigned_varint(tag);
  ++tag_depth_;
  bytes.push_back(std::byte{0});
  return bytes.size() - 1;
}

void MessageEncoder::end_tag(std::size_t size_at) {
  --tag_depth_;
  std::vector<std::byte>& bytes = to_.own_bytes();
  const std::size_t size = bytes.size() - size_at - 1;
  if (size <= longest_in_one_byte) {
    bytes[size_at] = static_cast<std::byte>(size);
    return;
  }
  std::array<std::byte, 10> encoded{};
  const std::byte* const first = encoded.data();
  const std::byte* const end = encode_varint(encoded.data(), size);
  bytes[size_at] = *first;
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(size_at) + 1, first + 1, end);
}

void MessageEncoder::note(const char* name) {
  path_ = path_.empty() ? name : fmt::format("{}.{}", name, path_);
}

}  // namespace millrace::inline v0::protocol
