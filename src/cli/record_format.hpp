#pragma once
#include <millrace/record.hpp>
#include <string>
#include <variant>
#include <vector>

namespace millrace::inline v0::cli {

/// A record whose key and value are left as bytes.
using RawRecord = Record<Bytes, Bytes>;

/// How a consumed record is printed: text with kcat's tokens. Compiled once, used for every record.
///
///     %t topic  %p partition  %o offset  %k key  %s value  %T timestamp in ms  %h headers
///     %K %S length of key, value (-1: null)   %R length of the value as 4 bytes, big-endian
///     %% percent sign, and the escapes of unescape()
class RecordFormat {
 public:
  /// invalid_argument for an unknown token or escape.
  static Result<RecordFormat> parse(std::string_view text);

  /// What %k and %s print for null; empty if not set.
  void set_null_text(std::string text) { null_text_ = std::move(text); }
  /// Appends `record` to `out`.
  void print(const RawRecord& record, std::string_view topic, std::string& out) const;

 private:
  using Piece = std::variant<std::string, char>;  // text, or a token's letter
  void print_token(char token, const RawRecord& record, std::string_view topic,
                   std::string& out) const;
  void print_bytes(const std::optional<Bytes>& bytes, std::string& out) const;

  std::vector<Piece> pieces_;
  std::string null_text_;
};

}  // namespace millrace::inline v0::cli
