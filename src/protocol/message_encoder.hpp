#pragma once
#include <millrace/protocol/message_writer.hpp>
#include <string>
#include <utility>

#include "protocol/message_field.hpp"

namespace millrace::inline v0::protocol {

/// Runs a description to write a body. After the first thing that cannot be said nothing more is
/// written.
class MessageEncoder {
 public:
  MessageEncoder(MessageWriter& to, ApiVersion version, bool flexible)
      : to_(to), wire_(to.wire()), version_(version), flexible_(flexible) {}

  template <typename T>
  void operator()(const char* name, const T& field, When when = {}) {
    if (!when.in.contains(version_) || !ok()) return;
    nullable_ = when.null_in.contains(version_);
    write(field);
    if (!ok()) [[unlikely]]
      note(name);
  }

  template <typename T>
  void tagged(std::uint32_t tag, const char* name, const T& field, Versions in,
              const std::type_identity_t<T>& if_absent = {}) {
    if (!flexible_ || !in.contains(version_) || !ok() || is_default(field, if_absent)) return;
    const std::size_t size_at = begin_tag(tag);
    nullable_ = true;
    write(field);
    end_tag(size_at);
    if (!ok()) [[unlikely]]
      note(name);
  }

  template <typename M>
  void structure(const M& from) {
    const TagSection outer = std::exchange(tags_, TagSection{});
    // A description serves reading too, so it takes what it describes as writable.
    describe(*this, const_cast<M&>(from));
    if (flexible_ && tags_.count == 0) to_.own_bytes().push_back(std::byte{0});
    tags_ = outer;
  }

  Result<void> finish(const char* message_name) const;

 private:
  /// The tag section of the struct that is being written; it begins with the first tag.
  struct TagSection {
    std::size_t count_at = 0;
    std::uint8_t count = 0;
  };

  bool ok() const noexcept { return !is_null_refused_ && wire_.ok(); }
  void write(bool field) { wire_.boolean(field); }
  void write(std::int8_t field) { wire_.int8(field); }
  void write(std::int16_t field) { wire_.int16(field); }
  void write(std::uint16_t field) { wire_.uint16(field); }
  void write(std::int32_t field) { wire_.int32(field); }
  void write(std::int64_t field) { wire_.int64(field); }
  void write(double field) { wire_.float64(field); }
  void write(const Uuid& field) { wire_.uuid(field); }
  void write(const std::string& field);
  void write(const std::optional<std::string>& field);
  void write(Bytes field);
  void write(const std::optional<Bytes>& field);
  template <typename T>
  void write(const std::vector<T>& field);
  template <typename T>
  void write(const std::optional<std::vector<T>>& field);
  template <typename T>
  void write(const std::optional<T>& field);
  template <typename T>
  void write(const T& field);

  /// Whether it may be null; else this fails.
  bool check_null();
  void count(std::optional<std::size_t> elements);
  /// The size of a tag is not known before its value is written: it gets one byte, and end_tag()
  /// moves the value up if that is too little.
  std::size_t begin_tag(std::uint32_t tag);
  void end_tag(std::size_t size_at);
  void note(const char* name);

  MessageWriter& to_;
  WireWriter wire_;
  ApiVersion version_;
  bool flexible_;
  bool nullable_ = false;
  bool is_null_refused_ = false;
  int tag_depth_ = 0;
  TagSection tags_;
  std::string path_;  // where it failed
};

template <typename T>
void MessageEncoder::write(const std::vector<T>& field) {
  count(field.size());
  for (const T& element : field) {
    if (!ok()) return;
    write(element);
  }
}

template <typename T>
void MessageEncoder::write(const std::optional<std::vector<T>>& field) {
  if (field) return write(*field);
  if (check_null()) count(std::nullopt);
}

template <typename T>
void MessageEncoder::write(const std::optional<T>& field) {
  if (!field && !check_null()) return;
  wire_.int8(field ? 1 : -1);
  if (field) structure(*field);
}

template <typename T>
void MessageEncoder::write(const T& field) {
  if constexpr (std::is_enum_v<T>) {
    write(static_cast<std::underlying_type_t<T>>(field));
  } else {
    structure(field);
  }
}

}  // namespace millrace::inline v0::protocol
