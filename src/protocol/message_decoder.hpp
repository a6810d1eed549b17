#pragma once
#include <millrace/core/bytes.hpp>
#include <millrace/protocol/message_codec.hpp>
#include <millrace/protocol/wire.hpp>
#include <string>
#include <utility>

#include "protocol/message_field.hpp"

namespace millrace::inline v0::protocol {

/// Runs a description to read a body. After the first thing that does not fit nothing more is read.
class MessageDecoder {
 public:
  MessageDecoder(Bytes body, ApiVersion version, bool flexible, const DecodeOptions& options);

  template <typename T>
  void operator()(const char* name, T& field, When when = {}) {
    if (!when.in.contains(version_) || !reader_.ok()) return;
    nullable_ = when.null_in.contains(version_);
    read(field);
    if (!reader_.ok()) [[unlikely]]
      note(name);
  }

  /// Tags of one struct are described in ascending order, behind its other fields.
  template <typename T>
  void tagged(std::uint32_t tag, const char* name, T& field, Versions in,
              const std::type_identity_t<T>& /*if_absent*/ = {}) {
    if (!flexible_ || !in.contains(version_) || !find_tag(tag)) return;
    tags_.is_pending = false;
    const std::byte* const outer_end = reader_.enter(tags_.size);
    nullable_ = true;
    read(field);
    reader_.leave(outer_end);
    if (!reader_.ok()) [[unlikely]]
      note(name);
  }

  template <typename M>
  void structure(M& into) {
    const TagSection outer = std::exchange(tags_, TagSection{});
    describe(*this, into);
    if (flexible_) pass_tags();
    tags_ = outer;
  }

  Result<void> finish(const char* message_name) const;

 private:
  /// The tag section of the struct that is being read.
  struct TagSection {
    bool is_begun = false;
    bool is_pending = false;  // `tag` and `size` are read, its value is not
    std::uint32_t left = 0;
    std::int64_t tag = -1;
    std::uint32_t size = 0;
  };

  void read(bool& field) { field = reader_.boolean(); }
  void read(std::int8_t& field) { field = reader_.int8(); }
  void read(std::int16_t& field) { field = reader_.int16(); }
  void read(std::uint16_t& field) { field = reader_.uint16(); }
  void read(std::int32_t& field) { field = reader_.int32(); }
  void read(std::int64_t& field) { field = reader_.int64(); }
  void read(double& field) { field = reader_.float64(); }
  void read(Uuid& field) { field = reader_.uuid(); }
  void read(std::string& field);
  void read(std::optional<std::string>& field);
  void read(Bytes& field);
  void read(std::optional<Bytes>& field);
  template <typename T>
  void read(std::vector<T>& field);
  template <typename T>
  void read(std::optional<std::vector<T>>& field);
  template <typename T>
  void read(std::optional<T>& field);
  template <typename T>
  void read(T& field);
  template <typename T>
  void elements(std::vector<T>& into, std::size_t count);

  std::optional<std::string_view> text();
  std::optional<Bytes> byte_string();
  std::optional<std::size_t> count(std::size_t least_element_bytes, std::size_t element_memory);
  void take_memory(std::size_t bytes);
  /// Whether the section has this tag, whose value then follows.
  bool find_tag(std::uint32_t tag);
  void pass_tags();
  /// Reads number and size of the next one; false if there is none.
  bool next_tag();
  void pass_tag();
  void note(const char* name);
  void note_index(std::size_t index);

  WireReader reader_;
  ApiVersion version_;
  bool flexible_;
  bool nullable_ = false;
  bool accept_left_over_;
  bool is_out_of_memory_ = false;
  std::size_t memory_left_;
  TagSection tags_;
  std::string path_;  // where it failed
};

template <typename T>
void MessageDecoder::elements(std::vector<T>& into, std::size_t count) {
  into.clear();
  into.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    read(into.emplace_back());
    if (!reader_.ok()) [[unlikely]]
      return note_index(i);
  }
}

template <typename T>
void MessageDecoder::read(std::vector<T>& field) {
  const auto size = count(std::is_arithmetic_v<T> ? sizeof(T) : 1, sizeof(T));
  if (!size) return reader_.fail("null for an array");
  elements(field, *size);
}

template <typename T>
void MessageDecoder::read(std::optional<std::vector<T>>& field) {
  const auto size = count(std::is_arithmetic_v<T> ? sizeof(T) : 1, sizeof(T));
  field.reset();
  if (size) {
    elements(field.emplace(), *size);
  } else if (!nullable_) {
    reader_.fail("null for an array");
  }
}

template <typename T>
void MessageDecoder::read(std::optional<T>& field) {
  field.reset();
  if (reader_.int8() >= 0) {
    structure(field.emplace());
  } else if (!nullable_) {
    reader_.fail("null for a struct");
  }
}

template <typename T>
void MessageDecoder::read(T& field) {
  if constexpr (std::is_enum_v<T>) {
    std::underlying_type_t<T> number{};
    read(number);
    field = static_cast<T>(number);
  } else {
    structure(field);
  }
}

}  // namespace millrace::inline v0::protocol
