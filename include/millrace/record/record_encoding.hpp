#pragma once
#include <cstring>
#include <millrace/core/varint.hpp>
#include <millrace/record/record_view.hpp>
#include <optional>
#include <span>

/// How one record is written; the batch builder's inner part.
namespace millrace::inline v0::record::detail {

/// Bytes around key, value and headers, at most: length, attributes, timestamp and offset delta,
/// key and value length, header count.
inline constexpr std::size_t record_overhead_bound = 5 + 1 + 10 + 5 + 5 + 5 + 5;

/// What a record is made of; refers to the caller's key and value.
struct RecordFields {
  std::int32_t offset_delta;
  std::int64_t timestamp;
  const std::optional<Bytes>& key;
  const std::optional<Bytes>& value;
};

/// a - b without overflow: a reader adds the delta in the same way.
inline std::int64_t wrapping_difference(std::int64_t a, std::int64_t b) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

inline std::byte* copy(std::byte* to, const std::byte* from, std::size_t bytes) noexcept {
  if (bytes != 0) std::memcpy(to, from, bytes);
  return to + bytes;
}

inline std::size_t size_of(const std::optional<Bytes>& field) noexcept {
  return field ? field->size() : 0;
}

inline std::size_t field_size(const std::optional<Bytes>& field) noexcept {
  return field ? varint_size(field->size() << 1) + field->size() : 1;
}

inline std::byte* write_field(std::byte* to, const std::optional<Bytes>& field) noexcept {
  if (!field) {
    *to = std::byte{1};  // zigzag of -1
    return to + 1;
  }
  return copy(encode_varint(to, field->size() << 1), field->data(), field->size());
}

/// No headers at all.
struct NoHeaders {};

inline std::size_t headers_size(NoHeaders) noexcept {
  return 1;
}
inline std::size_t headers_size(const HeaderList& headers) noexcept {
  return varint_size(zigzag(headers.count())) + headers.encoded().size();
}
inline std::size_t headers_size(std::span<const HeaderView> headers) noexcept {
  std::size_t bytes = varint_size(headers.size() << 1);
  for (const HeaderView& header : headers)
    bytes += varint_size(header.key.size() << 1) + header.key.size() + field_size(header.value);
  return bytes;
}

inline std::byte* write_headers(std::byte* to, NoHeaders) noexcept {
  *to = std::byte{0};
  return to + 1;
}
inline std::byte* write_headers(std::byte* to, const HeaderList& headers) noexcept {
  to = encode_zigzag(to, headers.count());
  return copy(to, headers.encoded().data(), headers.encoded().size());
}
inline std::byte* write_headers(std::byte* to, std::span<const HeaderView> headers) noexcept {
  to = encode_varint(to, headers.size() << 1);
  for (const HeaderView& header : headers) {
    to = write_field(to, as_bytes(header.key));
    to = write_field(to, header.value);
  }
  return to;
}

/// Writes one record at `to`, which has room for the bound, and returns its end.
template <typename HeaderSource>
inline std::byte* write_record(std::byte* to, const RecordFields& record,
                               std::int64_t base_timestamp, const HeaderSource& headers) noexcept {
  const std::uint64_t time = zigzag(wrapping_difference(record.timestamp, base_timestamp));
  const std::uint64_t delta = zigzag(record.offset_delta);
  const std::size_t body = 1 + varint_size(time) + varint_size(delta) + field_size(record.key) +
                           field_size(record.value) + headers_size(headers);
  to = encode_varint(to, body << 1);
  *to++ = std::byte{0};
  to = encode_varint(to, time);
  to = encode_varint(to, delta);
  to = write_field(to, record.key);
  to = write_field(to, record.value);
  return write_headers(to, headers);
}

}  // namespace millrace::inline v0::record::detail
