#include "escapes.hpp"

#include <fmt/format.h>

#include <charconv>

namespace millrace::inline v0::cli {
namespace {

Result<char> take_hexadecimal(std::string_view& text) {
  unsigned value = 0;
  const std::string_view digits = text.substr(0, 2);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() != 2 || parsed.ptr != digits.data() + digits.size()) {
    return Error(Errc::invalid_argument, "\\x takes two hexadecimal digits, for example \\x1f");
  }
  text.remove_prefix(2);
  return static_cast<char>(value);
}

}  // namespace

Result<char> take_escape(std::string_view& text) {
  text.remove_prefix(1);
  if (text.empty()) {
    return Error(Errc::invalid_argument, "a backslash at the end stands for nothing; write \\\\");
  }
  const char letter = text.front();
  text.remove_prefix(1);
  switch (letter) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case '0':
      return '\0';
    case 'a':
      return '\a';
    case 'e':
      return '\x1b';
    case '\\':
      return '\\';
    case 'x':
      return take_hexadecimal(text);
    default:
      return Error(
          Errc::invalid_argument,
          fmt::format("\\{} is not an escape; there are \\n \\r \\t \\0 \\a \\e \\\\ \\xHH",
                      letter));
  }
}

Result<std::string> unescape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.front() == '\\') {
      MILLRACE_TRY(const char c, take_escape(text));
      out += c;
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

Result<std::string> parse_separator(std::string_view text) {
  MILLRACE_TRY(std::string separator, unescape(text));
  if (separator.empty()) return Error(Errc::invalid_argument, "a separator cannot be empty");
  return separator;
}

}  // namespace millrace::inline v0::cli
