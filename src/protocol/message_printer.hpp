#pragma once
#include <millrace/core/bytes.hpp>
#include <millrace/protocol/wire.hpp>
#include <string>
#include <string_view>

#include "protocol/message_field.hpp"

namespace millrace::inline v0::protocol {

/// Runs a description to print a body as JSON.
class MessagePrinter {
 public:
  explicit MessagePrinter(ApiVersion version) : version_(version) {}

  template <typename T>
  void operator()(const char* name, const T& field, When when = {}) {
    if (!when.in.contains(version_)) return;
    begin_field(name);
    print(field);
  }

  template <typename T>
  void tagged(std::uint32_t /*tag*/, const char* name, const T& field, Versions in,
              const std::type_identity_t<T>& if_absent = {}) {
    if (!is_default(field, if_absent)) (*this)(name, field, in);
  }

  template <typename M>
  void structure(const M& from) {
    text_ += '{';
    describe(*this, const_cast<M&>(from));
    text_ += '}';
  }

  std::string take_text() && { return std::move(text_); }

 private:
  void print(bool field) { text_ += field ? "true" : "false"; }
  void print(std::int64_t field) { text_ += std::to_string(field); }
  void print(double field);
  void print(const Uuid& field) { print(Bytes(field.bytes)); }
  void print(const std::string& field);
  void print(Bytes field);
  template <typename T>
  void print(const std::optional<T>& field);
  template <typename T>
  void print(const std::vector<T>& field);
  template <typename T>
  void print(const T& field);

  /// Name and colon, and a comma unless it is the struct's first field.
  void begin_field(std::string_view name);

  std::string text_;
  ApiVersion version_;
};

template <typename T>
void MessagePrinter::print(const std::optional<T>& field) {
  if (field) return print(*field);
  text_ += "null";
}

template <typename T>
void MessagePrinter::print(const std::vector<T>& field) {
  text_ += '[';
  for (const T& element : field) {
    if (&element != field.data()) text_ += ',';
    print(element);
  }
  text_ += ']';
}

template <typename T>
void MessagePrinter::print(const T& field) {
  if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
    print(static_cast<std::int64_t>(field));
  } else {
    structure(field);
  }
}

}  // namespace millrace::inline v0::protocol
