#include "json_text.hpp"

namespace millrace::inline v0::cli {
namespace {

/// Length of the well-formed UTF-8 sequence (RFC 3629) at the front of `text`; 0 if there is none.
std::size_t sequence_length(std::string_view text) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  const bool is_overlong = (lead == 0xe0 && at(1) < 0xa0) || (lead == 0xf0 && at(1) < 0x90);
  const bool is_surrogate = lead == 0xed && at(1) > 0x9f;
  const bool is_too_high = lead == 0xf4 && at(1) > 0x8f;
  return is_overlong || is_surrogate || is_too_high ? 0 : length;
}

void put(Json& object, const std::string& name, const std::optional<Bytes>& bytes) {
  if (!bytes) {
    object[name] = nullptr;
  } else if (const std::string_view text = as_text(*bytes); is_utf8(text)) {
    object[name] = text;
  } else {
    object[name] = to_base64(text);
    object[name + "_encoding"] = "base64";
  }
}

}  // namespace

std::string line_of(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string to_base64(std::string_view bytes) {
  static constexpr char alphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(3, bytes.size()))) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out += i <= bytes.size() ? alphabet[bits >> (18 - 6 * i) & 63] : '=';
    }
  }
  return out;
}

void print_json(const RawRecord& record, std::string_view topic, std::string& out) {
  Json object;
  object["topic"] = topic;
  object["partition"] = record.partition();
  object["offset"] = record.offset().value();
  object["timestamp"] = record.timestamp().milliseconds();
  put(object, "key", record.raw_key());
  put(object, "value", record.raw_value());
  Json headers = Json::array();
  for (const Header& header : record.headers()) {
    Json one;
    put(one, "key", as_bytes(header.key));
    put(one, "value", header.value);
    headers.push_back(std::move(one));
  }
  object["headers"] = std::move(headers);
  out += object.dump();
  out += '\n';
}

}  // namespace millrace::inline v0::cli
