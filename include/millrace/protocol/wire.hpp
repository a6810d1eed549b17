#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <millrace/core/bytes.hpp>
#include <millrace/core/result.hpp>
#include <millrace/core/varint.hpp>
#include <optional>
#include <string_view>
#include <vector>

namespace millrace::inline v0::protocol {

/// The 16 bytes by which Kafka names topics and directories; all zero is "none".
struct Uuid {
  std::array<std::byte, 16> bytes{};
  friend bool operator==(const Uuid&, const Uuid&) = default;
};

/// The longest text that a string can hold, in bytes of UTF-8, compact or not.
inline constexpr std::size_t longest_string = 0x7fff;

/// Takes Kafka's primitive types from a span of bytes, in order. Allocates nothing; what it returns
/// as text or bytes points into the span.
///
/// The bytes may be anything: a reader never reads beyond them. The first thing that does not fit
/// (cut short, a length below -1 or behind the end, null where there is no null) makes it fail, and
/// from then on everything reads as zero, empty or null until check() or finish() tells. So a
/// decoder reads all fields in a row and checks once. Texts are not checked to be UTF-8.
class WireReader {
 public:
  explicit WireReader(Bytes bytes) noexcept
      : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}

  /// Any byte but zero is true, as in Kafka.
  bool boolean() noexcept { return fixed<std::uint8_t>("a boolean") != 0; }
  std::int8_t int8() noexcept { return fixed<std::int8_t>("an int8"); }
  std::int16_t int16() noexcept { return fixed<std::int16_t>("an int16"); }
  std::uint16_t uint16() noexcept { return fixed<std::uint16_t>("a uint16"); }
  std::int32_t int32() noexcept { return fixed<std::int32_t>("an int32"); }
  std::uint32_t uint32() noexcept { return fixed<std::uint32_t>("a uint32"); }
  std::int64_t int64() noexcept { return fixed<std::int64_t>("an int64"); }
  double float64() noexcept { return std::bit_cast<double>(fixed<std::uint64_t>("a float64")); }
  std::uint32_t unsigned_varint() noexcept {
    return static_cast<std::uint32_t>(variable<5>("an unsigned varint"));
  }
  std::int32_t varint() noexcept {
    return static_cast<std::int32_t>(unzigzag(variable<5>("a varint")));
  }
  std::int64_t varlong() noexcept { return unzigzag(variable<10>("a varlong")); }
  Uuid uuid() noexcept;

  std::string_view string() noexcept;
  std::optional<std::string_view> nullable_string() noexcept;
  std::string_view compact_string() noexcept;
  std::optional<std::string_view> compact_nullable_string() noexcept;

  Bytes bytes() noexcept;
  std::optional<Bytes> nullable_bytes() noexcept;
  Bytes compact_bytes() noexcept;
  std::optional<Bytes> compact_nullable_bytes() noexcept;

  /// The number of elements that follow. It is a failure, and 0, if the bytes that are left cannot
  /// hold that many of `least_element_bytes` (at least 1) each: so it may be trusted to reserve by.
  std::size_t array_count(std::size_t least_element_bytes = 1) noexcept;
  std::optional<std::size_t> nullable_array_count(std::size_t least_element_bytes = 1) noexcept;
  std::size_t compact_array_count(std::size_t least_element_bytes = 1) noexcept;
  std::optional<std::size_t> compact_nullable_array_count(
      std::size_t least_element_bytes = 1) noexcept;

  /// Reads a section of tagged fields (KIP-482): `visit(tag, reader)` is called for each, with the
  /// number of the tag and a WireReader over its bytes. If that one fails, so does this one; bytes
  /// that the visitor leaves are passed over.
  template <typename Visitor>
  void tagged_fields(Visitor&& visit);
  /// Passes over a section of tagged fields.
  void skip_tagged_fields() noexcept {
    tagged_fields([](std::uint32_t, WireReader&) {});
  }

  /// The next `size` bytes.
  Bytes take(std::size_t size) noexcept { return take(size, "a run of bytes"); }

  /// Hides what is behind the next `size` bytes, for a part with its size in front. Returns the end
  /// that leave() brings back; it is a failure if there are fewer bytes.
  const std::byte* enter(std::size_t size) noexcept;
  /// It is a failure if bytes of the part are left.
  void leave(const std::byte* outer_end) noexcept;

  /// Makes the reader fail because `what` does not fit, unless it has failed before.
  void fail(const char* what) noexcept;

  /// Whether all reads so far fitted.
  bool ok() const noexcept { return problem_ == nullptr; }
  /// Bytes read so far; where it failed, once it has.
  std::size_t position() const noexcept { return static_cast<std::size_t>(at_ - begin_); }
  /// Bytes not read yet; none after a failure.
  std::size_t remaining() const noexcept { return ok() ? static_cast<std::size_t>(end_ - at_) : 0; }

  /// Errc::corrupt_data if a read failed. `doing` begins the text, e.g. "reading a subscription".
  Result<void> check(std::string_view doing) const;
  /// The same, and an error too if bytes are left.
  Result<void> finish(std::string_view doing) const;

 private:
  template <typename T>
  T fixed(const char* what) noexcept;
  template <std::size_t MaxBytes>
  std::uint64_t variable(const char* what) noexcept;
  Bytes take(std::size_t size, const char* what) noexcept;
  /// `length` is -1 for null.
  std::optional<Bytes> sized(std::int64_t length, std::int64_t longest, const char* what) noexcept;
  std::optional<std::size_t> counted(std::int64_t count, std::size_t least_element_bytes) noexcept;
  std::int64_t compact_length() noexcept { return std::int64_t{unsigned_varint()} - 1; }
  template <typename T>
  T not_null(const std::optional<T>& value, const char* what) noexcept;

  const std::byte* begin_;
  const std::byte* at_;
  const std::byte* end_;
  const char* problem_ = nullptr;  // what could not be read
};

/// Appends Kafka's primitive types to a vector that the caller owns and that must outlive the
/// writer. Nothing is read from the vector, so it may hold other bytes in front.
///
/// A text or an array that is longer than its type can say is written as null or empty, and
/// finish() then fails.
class WireWriter {
 public:
  explicit WireWriter(std::vector<std::byte>& to) noexcept : to_(to) {}

  void boolean(bool value) { fixed<std::uint8_t>(value ? 1 : 0); }
  void int8(std::int8_t value) { fixed(value); }
  void int16(std::int16_t value) { fixed(value); }
  void uint16(std::uint16_t value) { fixed(value); }
  void int32(std::int32_t value) { fixed(value); }
  void uint32(std::uint32_t value) { fixed(value); }
  void int64(std::int64_t value) { fixed(value); }
  void float64(double value) { fixed(std::bit_cast<std::uint64_t>(value)); }
  void unsigned_varint(std::uint32_t value) { variable(value); }
  void varint(std::int32_t value) { variable(zigzag(value)); }
  void varlong(std::int64_t value) { variable(zigzag(value)); }
  void uuid(const Uuid& value) { raw(value.bytes); }

  void string(std::string_view text) { nullable_string(text); }
  void nullable_string(std::optional<std::string_view> text);
  void compact_string(std::string_view text) { compact_nullable_string(text); }
  void compact_nullable_string(std::optional<std::string_view> text);

  void bytes(Bytes value) { nullable_bytes(value); }
  void nullable_bytes(std::optional<Bytes> value);
  void compact_bytes(Bytes value) { compact_nullable_bytes(value); }
  void compact_nullable_bytes(std::optional<Bytes> value);

  /// The number of elements, which the caller then writes; nullopt is a null array.
  void array_count(std::optional<std::size_t> count);
  void compact_array_count(std::optional<std::size_t> count);

  /// A section of tagged fields: their number, then each by tagged_field(), tags ascending.
  void tagged_field_count(std::uint32_t count) { unsigned_varint(count); }
  void tagged_field(std::uint32_t tag, Bytes value);

  /// The bytes as they are, without a length.
  void raw(Bytes bytes);

  /// Whether everything so far could be said.
  bool ok() const noexcept { return problem_ == nullptr; }
  /// Errc::invalid_argument if something was too long; what was written is of no use then.
  Result<void> finish(std::string_view doing) const;

 private:
  template <typename T>
  void fixed(T value);
  void variable(std::uint64_t value);
  /// Whether `size` is at most `longest`; otherwise remembers `what` as the problem.
  bool fits(std::size_t size, std::size_t longest, const char* what) noexcept;

  std::vector<std::byte>& to_;
  const char* problem_ = nullptr;  // what is too long
};

template <typename T>
T WireReader::fixed(const char* what) noexcept {
  if (remaining() < sizeof(T)) [[unlikely]] {
    fail(what);
    return 0;
  }
  const T value = load_big<T>(at_);
  at_ += sizeof(T);
  return value;
}

template <std::size_t MaxBytes>
std::uint64_t WireReader::variable(const char* what) noexcept {
  std::uint64_t value = 0;
  const std::byte* next = ok() ? decode_varint<MaxBytes>(at_, end_, value) : nullptr;
  if (next == nullptr) [[unlikely]] {
    fail(what);
    return 0;
  }
  at_ = next;
  return value;
}

template <typename Visitor>
void WireReader::tagged_fields(Visitor&& visit) {
  for (std::uint32_t left = unsigned_varint(); left > 0 && ok(); --left) {
    const std::uint32_t tag = unsigned_varint();
    WireReader field(take(unsigned_varint(), "a tagged field"));
    if (!ok()) return;
    visit(tag, field);
    if (!field.ok()) fail("what a tagged field holds");
  }
}

template <typename T>
void WireWriter::fixed(T value) {
  std::array<std::byte, sizeof(T)> encoded{};
  store_big(encoded.data(), value);
  raw(encoded);
}

}  // namespace millrace::inline v0::protocol
