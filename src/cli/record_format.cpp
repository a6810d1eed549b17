#include "record_format.hpp"

#include <fmt/format.h>

#include "escapes.hpp"

namespace millrace::inline v0::cli {
namespace {

constexpr std::string_view tokens = "tpoksThKSR";

template <typename Number>
void print_number(Number number, std::string& out) {
  out += fmt::format_int(number).c_str();
}

std::int64_t length_of(const std::optional<Bytes>& bytes) {
  return bytes ? static_cast<std::int64_t>(bytes->size()) : -1;
}

void print_headers(const Headers& headers, std::string& out) {
  bool is_first = true;
  for (const Header& header : headers) {
    if (!is_first) out += ',';
    is_first = false;
    out += header.key;
    out += '=';
    out += header.value ? as_text(*header.value) : std::string_view("NULL");
  }
}

}  // namespace

Result<RecordFormat> RecordFormat::parse(std::string_view text) {
  RecordFormat format;
  std::string literal;
  const auto end_literal = [&] {
    if (!literal.empty()) format.pieces_.emplace_back(std::exchange(literal, {}));
  };
  while (!text.empty()) {
    if (text.front() == '\\') {
      MILLRACE_TRY(const char c, take_escape(text));
      literal += c;
    } else if (text.front() != '%') {
      literal += text.front();
      text.remove_prefix(1);
    } else {
      const std::string_view token = text.substr(1, 1);
      if (token.empty() || (token != "%" && tokens.find(token) == std::string_view::npos)) {
        return Error(Errc::invalid_argument,
                     fmt::format("%{} is not a token; there are %t topic, %p partition, %o offset, "
                                 "%k key, %s value, %T timestamp, %h headers, %K and %S their "
                                 "lengths, %R and %%",
                                 token));
      }
      text.remove_prefix(2);
      if (token == "%") {
        literal += '%';
        continue;
      }
      end_literal();
      format.pieces_.emplace_back(token.front());
    }
  }
  end_literal();
  return format;
}

void RecordFormat::print(const RawRecord& record, std::string_view topic, std::string& out) const {
  for (const Piece& piece : pieces_) {
    if (const auto* literal = std::get_if<std::string>(&piece)) {
      out += *literal;
    } else {
      print_token(*std::get_if<char>(&piece), record, topic, out);
    }
  }
}

void RecordFormat::print_token(char token, const RawRecord& record, std::string_view topic,
                               std::string& out) const {
  switch (token) {
    case 't':
      out += topic;
      break;
    case 'p':
      print_number(record.partition(), out);
      break;
    case 'o':
      print_number(record.offset().value(), out);
      break;
    case 'k':
      print_bytes(record.raw_key(), out);
      break;
    case 's':
      print_bytes(record.raw_value(), out);
      break;
    case 'T':
      print_number(record.timestamp().milliseconds(), out);
      break;
    case 'h':
      print_headers(record.headers(), out);
      break;
    case 'K':
      print_number(length_of(record.raw_key()), out);
      break;
    case 'S':
      print_number(length_of(record.raw_value()), out);
      break;
    case 'R': {
      std::byte encoded[4];
      store_big(encoded, static_cast<std::int32_t>(length_of(record.raw_value())));
      out += as_text(encoded);
      break;
    }
    default:
      break;
  }
}

void RecordFormat::print_bytes(const std::optional<Bytes>& bytes, std::string& out) const {
  if (bytes) {
    out += as_text(*bytes);
  } else {
    out += null_text_;
  }
}

}  // namespace millrace::inline v0::cli
