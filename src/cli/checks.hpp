#pragma once
#include <cstdint>
#include <limits>
#include <millrace/core/result.hpp>
#include <string>
#include <string_view>

namespace millrace::inline v0::cli {

/// A whole number in decimal, from `least` to `most`; the error says what it takes.
Result<std::int64_t> parse_whole_number(std::string_view text, std::int64_t least,
                                        std::int64_t most);

/// Turns a parser into a check for an option's text: its error becomes a usage error.
template <typename Parse>
auto checked_by(Parse parse) {
  return [parse](const std::string& text) -> std::string {
    const auto parsed = parse(text);
    return parsed ? std::string() : parsed.error().message();
  };
}

inline constexpr std::int64_t any_number = std::numeric_limits<std::int64_t>::max();

/// A check for an option that takes a whole number.
inline auto whole_number(std::int64_t least, std::int64_t most = any_number) {
  return checked_by(
      [least, most](const std::string& text) { return parse_whole_number(text, least, most); });
}

/// A check for what names a partition by its number.
inline auto partition_number() {
  return whole_number(0, std::numeric_limits<std::int32_t>::max());
}

}  // namespace millrace::inline v0::cli
