#include "protocol/message_printer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace millrace::inline v0::protocol {
namespace {

/// How many bytes from `at` on are one whole UTF-8 sequence, as JSON must have them; 0 if none.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const unsigned lead = byte(at);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0u) != 0x80u) return 0;
  }
  const unsigned second = byte(at + 1);
  // Longer than need be, a surrogate, or beyond Unicode.
  const bool is_outside = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
                          (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
  return is_outside ? 0 : length;
}

}  // namespace

void MessagePrinter::print(double field) {
  text_ += std::isfinite(field) ? fmt::format("{}", field) : fmt::format("\"{}\"", field);
}

void MessagePrinter::print(const std::string& field) {
  text_ += '"';
  for (std::size_t at = 0; at < field.size();) {
    const std::size_t length = utf8_length(field, at);
    const auto byte = static_cast<unsigned char>(field[at]);
    if (length == 0) {
      text_ += "\\ufffd";
    } else if (byte < 0x20) {
      text_ += fmt::format("\\u{:04x}", byte);
    } else {
      if (byte == '"' || byte == '\\') text_ += '\\';
      text_ += field.substr(at, length);
    }
    at += std::max<std::size_t>(length, 1);
  }
  text_ += '"';
}

void MessagePrinter::print(Bytes field) {
  constexpr std::string_view digits = "0123456789abcdef";
  text_ += '"';
  for (const std::byte byte : field) {
    text_ += digits[std::to_integer<std::size_t>(byte) >> 4];
    text_ += digits[std::to_integer<std::size_t>(byte) & 15];
  }
  text_ += '"';
}

void MessagePrinter::begin_field(std::string_view name) {
  if (text_.back() != '{') text_ += ',';
  text_ += '"';
  text_ += name;
  text_ += "\":";
}

}  // namespace millrace::inline v0::protocol
