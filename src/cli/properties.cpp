#include "properties.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <millrace/os/text_file.hpp>

namespace millrace::inline v0::cli {
namespace {

constexpr std::string_view blanks = " \t\f";

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
}

void append_utf8(std::uint32_t code, std::string& to) {
  const auto put = [&to](std::uint32_t byte) { to += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | code >> 6);
  } else {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

/// Takes what stands behind a backslash off the front.
void take_escaped(std::string_view& text, std::string& to) {
  if (text.empty()) return;
  const char letter = text.front();
  text.remove_prefix(1);
  std::uint32_t code = 0;
  constexpr std::size_t digits = 4;
  const std::string_view hex = text.substr(0, digits);
  if (letter == 'u' && hex.size() == digits &&
      std::from_chars(hex.data(), hex.data() + digits, code, 16).ptr == hex.data() + digits) {
    text.remove_prefix(digits);
    return append_utf8(code, to);
  }
  constexpr std::string_view letters = "tnrf";
  constexpr std::string_view meant = "\t\n\r\f";
  const std::size_t at = letters.find(letter);
  to += at == std::string_view::npos ? letter : meant[at];
}

/// Takes characters off the front up to one of `ends`, or all.
std::string take_until(std::string_view ends, std::string_view& text) {
  std::string taken;
  while (!text.empty() && ends.find(text.front()) == std::string_view::npos) {
    const char letter = text.front();
    text.remove_prefix(1);
    if (letter == '\\')
      take_escaped(text, taken);
    else
      taken += letter;
  }
  return taken;
}

/// Whether the line goes on in the next one.
bool goes_on(std::string_view line) {
  const std::size_t last_other = line.find_last_not_of('\\');
  const std::size_t count = line.size() - (last_other + 1);  // npos + 1 is 0
  return count % 2 == 1;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Property to_property(std::string_view line, std::size_t number) {
  Property property;
  property.line = number;
  property.name = take_until("=: \t\f", line);
  skip_blanks(line);
  if (line.starts_with('=') || line.starts_with(':')) line.remove_prefix(1);
  skip_blanks(line);
  property.value = take_until({}, line);
  return property;
}

}  // namespace

std::vector<Property> parse_properties(std::string_view text) {
  std::vector<Property> properties;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = take_line(text);
    skip_blanks(line);
    if (line.empty() || line.starts_with('#') || line.starts_with('!')) continue;
    const std::size_t begin = number;
    std::string whole(line);
    while (goes_on(whole)) {
      whole.pop_back();
      if (text.empty()) break;
      std::string_view next = take_line(text);
      ++number;
      skip_blanks(next);
      whole += next;
    }
    properties.push_back(to_property(whole, begin));
  }
  return properties;
}

Result<std::vector<Property>> read_properties(const std::string& file) {
  const auto text = os::read_text(file);
  if (text) return parse_properties(*text);
  return Error(Errc::io_error, fmt::format("cannot read the settings: {}. Give a readable file",
                                           text.error().message()));
}

}  // namespace millrace::inline v0::cli
