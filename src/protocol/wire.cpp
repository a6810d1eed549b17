#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <millrace/protocol/wire.hpp>

namespace millrace::inline v0::protocol {
namespace {

constexpr std::int64_t no_limit = std::numeric_limits<std::int32_t>::max();

std::optional<std::string_view> as_optional_text(const std::optional<Bytes>& bytes) noexcept {
  if (!bytes) return std::nullopt;
  return as_text(*bytes);
}

}  // namespace

Uuid WireReader::uuid() noexcept {
  Uuid value;
  const Bytes from = take(value.bytes.size(), "a uuid");
  std::copy(from.begin(), from.end(), value.bytes.begin());
  return value;
}

std::string_view WireReader::string() noexcept {
  return as_text(not_null(sized(int16(), longest_string, "a string"), "a string"));
}

std::optional<std::string_view> WireReader::nullable_string() noexcept {
  return as_optional_text(sized(int16(), longest_string, "a string"));
}

std::string_view WireReader::compact_string() noexcept {
  return as_text(not_null(sized(compact_length(), longest_string, "a string"), "a string"));
}

std::optional<std::string_view> WireReader::compact_nullable_string() noexcept {
  return as_optional_text(sized(compact_length(), longest_string, "a string"));
}

Bytes WireReader::bytes() noexcept {
  return not_null(sized(int32(), no_limit, "a byte string"), "a byte string");
}

std::optional<Bytes> WireReader::nullable_bytes() noexcept {
  return sized(int32(), no_limit, "a byte string");
}

Bytes WireReader::compact_bytes() noexcept {
  return not_null(sized(compact_length(), no_limit, "a byte string"), "a byte string");
}

std::optional<Bytes> WireReader::compact_nullable_bytes() noexcept {
  return sized(compact_length(), no_limit, "a byte string");
}

std::size_t WireReader::array_count(std::size_t least_element_bytes) noexcept {
  return not_null(counted(int32(), least_element_bytes), "an array");
}

std::optional<std::size_t> WireReader::nullable_array_count(
    std::size_t least_element_bytes) noexcept {
  return counted(int32(), least_element_bytes);
}

std::size_t WireReader::compact_array_count(std::size_t least_element_bytes) noexcept {
  return not_null(counted(compact_length(), least_element_bytes), "an array");
}

std::optional<std::size_t> WireReader::compact_nullable_array_count(
    std::size_t least_element_bytes) noexcept {
  return counted(compact_length(), least_element_bytes);
}

Bytes WireReader::take(std::size_t size, const char* what) noexcept {
  if (!ok() || size > remaining()) {
    fail(what);
    return {};
  }
  const Bytes taken(at_, size);
  at_ += size;
  return taken;
}

std::optional<Bytes> WireReader::sized(std::int64_t length, std::int64_t longest,
                                       const char* what) noexcept {
  if (!ok() || length == -1) return std::nullopt;
  if (length < 0 || length > longest) {
    fail(what);
    return std::nullopt;
  }
  const Bytes taken = take(static_cast<std::size_t>(length), what);
  return ok() ? std::optional(taken) : std::nullopt;
}

std::optional<std::size_t> WireReader::counted(std::int64_t count,
                                               std::size_t least_element_bytes) noexcept {
  if (!ok() || count == -1) return std::nullopt;
  const std::size_t most = remaining() / std::max<std::size_t>(least_element_bytes, 1);
  if (count < 0 || static_cast<std::size_t>(count) > most) {
    fail("an array");
    return std::nullopt;
  }
  return static_cast<std::size_t>(count);
}

template <typename T>
T WireReader::not_null(const std::optional<T>& value, const char* what) noexcept {
  if (!value) fail(what);
  return value.value_or(T{});
}

const std::byte* WireReader::enter(std::size_t size) noexcept {
  const std::byte* const outer_end = end_;
  if (size > remaining()) {
    fail("a part with its size in front");
  } else {
    end_ = at_ + size;
  }
  return outer_end;
}

void WireReader::leave(const std::byte* outer_end) noexcept {
  if (remaining() > 0) fail("what a part holds");
  end_ = outer_end;
}

void WireReader::fail(const char* what) noexcept {
  if (ok()) problem_ = what;
}

Result<void> WireReader::check(std::string_view doing) const {
  if (ok()) return {};
  return Error(Errc::corrupt_data,
               fmt::format("{}: {} does not fit at byte {} of {}; the bytes are damaged or are not "
                           "what they were taken for, ask whoever wrote them",
                           doing, problem_, position(), end_ - begin_));
}

Result<void> WireReader::finish(std::string_view doing) const {
  MILLRACE_CHECK(check(doing));
  if (remaining() == 0) return {};
  return Error(Errc::corrupt_data,
               fmt::format("{}: {} bytes are left over at byte {} of {}; the bytes are damaged or "
                           "are not what they were taken for, ask whoever wrote them",
                           doing, remaining(), position(), end_ - begin_));
}

void WireWriter::raw(Bytes bytes) {
  to_.insert(to_.end(), bytes.begin(), bytes.end());
}

void WireWriter::nullable_string(std::optional<std::string_view> text) {
  if (!text || !fits(text->size(), longest_string, "a string")) return int16(-1);
  int16(static_cast<std::int16_t>(text->size()));
  raw(as_bytes(*text));
}

void WireWriter::compact_nullable_string(std::optional<std::string_view> text) {
  if (!text || !fits(text->size(), longest_string, "a string")) return unsigned_varint(0);
  unsigned_varint(static_cast<std::uint32_t>(text->size() + 1));
  raw(as_bytes(*text));
}

void WireWriter::nullable_bytes(std::optional<Bytes> value) {
  if (!value || !fits(value->size(), no_limit, "a byte string")) return int32(-1);
  int32(static_cast<std::int32_t>(value->size()));
  raw(*value);
}

void WireWriter::compact_nullable_bytes(std::optional<Bytes> value) {
  if (!value || !fits(value->size(), no_limit, "a byte string")) return unsigned_varint(0);
  unsigned_varint(static_cast<std::uint32_t>(value->size() + 1));
  raw(*value);
}

void WireWriter::array_count(std::optional<std::size_t> count) {
  if (!count || !fits(*count, no_limit, "an array")) return int32(-1);
  int32(static_cast<std::int32_t>(*count));
}

void WireWriter::compact_array_count(std::optional<std::size_t> count) {
  if (!count || !fits(*count, no_limit, "an array")) return unsigned_varint(0);
  unsigned_varint(static_cast<std::uint32_t>(*count + 1));
}

void WireWriter::tagged_field(std::uint32_t tag, Bytes value) {
  unsigned_varint(tag);
  const bool fit = fits(value.size(), no_limit, "a tagged field");
  unsigned_varint(fit ? static_cast<std::uint32_t>(value.size()) : 0);
  if (fit) raw(value);
}

Result<void> WireWriter::finish(std::string_view doing) const {
  if (ok()) return {};
  return Error(Errc::invalid_argument,
               fmt::format("{}: {} is longer than Kafka's format can say (a string {} bytes, "
                           "anything else 2 GiB); make it shorter",
                           doing, problem_, longest_string));
}

void WireWriter::variable(std::uint64_t value) {
  std::array<std::byte, 10> bytes{};
  const std::byte* end = encode_varint(bytes.data(), value);
  raw({bytes.data(), end});
}

bool WireWriter::fits(std::size_t size, std::size_t longest, const char* what) noexcept {
  if (size <= longest) return true;
  if (ok()) problem_ = what;
  return false;
}

}  // namespace millrace::inline v0::protocol
