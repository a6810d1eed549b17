#include "checks.hpp"

#include <fmt/format.h>

#include <charconv>

namespace millrace::inline v0::cli {
namespace {

std::string range_of(std::int64_t least, std::int64_t most) {
  if (least < 0) return "such as 100 or -100";
  if (most == any_number) return fmt::format("of at least {}", least);
  return fmt::format("from {} to {}", least, most);
}

/// Those who read "010" may take it for octal.
bool has_leading_zero(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return text.size() > 1 && text.front() == '0';
}

}  // namespace

Result<std::int64_t> parse_whole_number(std::string_view text, std::int64_t least,
                                        std::int64_t most) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  const bool is_number = parsed.ec == std::errc{} && parsed.ptr == end && !has_leading_zero(text);
  if (is_number && value >= least && value <= most) return value;
  return Error(Errc::invalid_argument, fmt::format("\"{}\" is not right; give a whole number {}",
                                                   text, range_of(least, most)));
}

}  // namespace millrace::inline v0::cli
