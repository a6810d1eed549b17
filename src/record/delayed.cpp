#include <algorithm>
#include <charconv>
#include <millrace/record/delayed.hpp>

namespace millrace::inline v0::record {
namespace {

std::optional<std::int64_t> parse_digits(std::string_view text) noexcept {
  const bool digits_alone =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  std::int64_t number = 0;
  if (!digits_alone || std::from_chars(text.begin(), text.end(), number).ec != std::errc{}) {
    return std::nullopt;
  }
  return number;
}

std::optional<HeaderView> find_last(const HeaderList& headers, std::string_view key) noexcept {
  std::optional<HeaderView> found;
  for (const HeaderView& header : headers) {
    if (header.key == key) found = header;
  }
  return found;
}

}  // namespace

std::optional<Timestamp> parse_deliver_at(const std::optional<Bytes>& value) noexcept {
  const auto number = value ? parse_digits(as_text(*value)) : std::nullopt;
  if (!number || Timestamp{*number} > latest_deliver_at) return std::nullopt;
  return Timestamp{*number};
}

std::optional<Timestamp> deliver_at(const HeaderList& headers) noexcept {
  const auto found = find_last(headers, deliver_at_header);
  return found ? parse_deliver_at(found->value) : std::nullopt;
}

std::string_view copy_mark(const HeaderList& headers) noexcept {
  const auto found = find_last(headers, delayed_offset_header);
  return found && found->value ? as_text(*found->value) : std::string_view();
}

std::optional<Offset> parse_copy_mark(std::string_view value, std::string_view source) noexcept {
  if (!value.ends_with(source)) return std::nullopt;
  const auto number = parse_digits(value.substr(0, value.size() - source.size()));
  return number ? std::optional(Offset{*number}) : std::nullopt;
}

}  // namespace millrace::inline v0::record
