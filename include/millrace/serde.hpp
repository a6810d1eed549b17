#pragma once
#include <concepts>
#include <cstring>
#include <millrace/core/bytes.hpp>
#include <millrace/core/result.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace millrace::inline v0 {

/// Where a Serde writes to: grows as needed, keeps its memory between records.
class ByteSink {
 public:
  void append(Bytes bytes) { data_.insert(data_.end(), bytes.begin(), bytes.end()); }
  void append(std::string_view text) { append(as_bytes(text)); }
  /// Room for `count` more bytes, to be written by the caller; valid until the next call.
  std::byte* extend(std::size_t count) {
    data_.resize(data_.size() + count);
    return data_.data() + data_.size() - count;
  }
  Bytes bytes() const noexcept { return data_; }
  void clear() noexcept { data_.clear(); }

 private:
  std::vector<std::byte> data_;
};

/// How a T becomes bytes and back. Specialise it for your types:
///
///     template <> struct millrace::Serde<Order> {
///       static Result<void> serialize(const Order& order, ByteSink& out);
///       static Result<Order> deserialize(Bytes bytes);
///     };
///
/// `deserialize` gets a view straight into the log's map. A T that keeps views of it is valid as
/// long as the records it came from; its Serde says so by `static constexpr bool is_view = true`.
template <typename T>
struct Serde;

/// Bytes that exist already need no copy: such a Serde also has `static Bytes view(const T&)`.
template <typename T>
concept ViewSerializable = requires(const T& value) {
  { Serde<T>::view(value) } -> std::same_as<Bytes>;
};

/// Whether Serde<T> can write and read T.
template <typename T>
concept Serializable = (ViewSerializable<T> ||
                        requires(const T& value, ByteSink& sink) {
                          { Serde<T>::serialize(value, sink) } -> std::same_as<Result<void>>;
                        }) &&
                       requires(Bytes bytes) {
  { Serde<T>::deserialize(bytes) } -> std::same_as<Result<T>>;
};

template <>
struct Serde<std::string> {
  static Bytes view(const std::string& text) noexcept { return as_bytes(text); }
  static Result<std::string> deserialize(Bytes bytes) { return std::string(as_text(bytes)); }
};

/// Reads without a copy: the view is valid as long as the records it came from.
template <>
struct Serde<std::string_view> {
  static Bytes view(std::string_view text) noexcept { return as_bytes(text); }
  static Result<std::string_view> deserialize(Bytes bytes) { return as_text(bytes); }
};

/// Reads without a copy: the view is valid as long as the records it came from.
template <>
struct Serde<Bytes> {
  static Bytes view(Bytes bytes) noexcept { return bytes; }
  static Result<Bytes> deserialize(Bytes bytes) { return bytes; }
};

template <>
struct Serde<std::vector<std::byte>> {
  static Bytes view(const std::vector<std::byte>& bytes) noexcept { return bytes; }
  static Result<std::vector<std::byte>> deserialize(Bytes bytes) {
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  }
};

/// Integers as Kafka's own serializers write them: big-endian, two's complement.
template <std::integral T>
requires(!std::same_as<T, bool>) struct Serde<T> {
  static Result<void> serialize(T value, ByteSink& out) {
    store_big(out.extend(sizeof value), value);
    return {};
  }
  static Result<T> deserialize(Bytes bytes) {
    if (bytes.size() != sizeof(T)) {
      return Error(Errc::serialization, "an integer of " + std::to_string(sizeof(T)) +
                                            " bytes cannot be read from " +
                                            std::to_string(bytes.size()) + " bytes");
    }
    return load_big<T>(bytes.data());
  }
};

namespace detail {
template <typename T>
inline constexpr bool is_optional = false;
template <typename T>
inline constexpr bool is_optional<std::optional<T>> = true;
}  // namespace detail

/// Other trivially copyable types (structs, floating point): their bytes as they are in memory, so
/// only for logs that stay on machines of one kind. Pointers and views do not count.
template <typename T>
requires(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && !std::integral<T> &&
         std::default_initializable<T> && !std::ranges::enable_borrowed_range<T> &&
         !detail::is_optional<T>) struct Serde<T> {
  static Bytes view(const T& value) noexcept {
    return {reinterpret_cast<const std::byte*>(&value), sizeof value};
  }
  static Result<T> deserialize(Bytes bytes) {
    if (bytes.size() != sizeof(T)) {
      return Error(Errc::serialization, "a value of " + std::to_string(sizeof(T)) +
                                            " bytes cannot be read from " +
                                            std::to_string(bytes.size()) + " bytes");
    }
    T value{};
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
};

/// What a topic's keys and values may be: a type with a Serde, or std::optional of one for those
/// that may be null.
template <typename T>
concept TopicType = Serializable<T> ||
    (detail::is_optional<T>&& requires { requires Serializable<typename T::value_type>; });

namespace detail {

/// Whether a T read from a topic points into it.
template <typename T>
inline constexpr bool is_view = std::ranges::enable_borrowed_range<T> || requires {
  requires Serde<T>::is_view;
};
template <typename T>
inline constexpr bool is_view<std::optional<T>> = is_view<T>;

/// The bytes of a value: its own if it has them, else written to `sink`.
template <Serializable T>
Result<Bytes> to_bytes(const T& value, ByteSink& sink) {
  if constexpr (ViewSerializable<T>) {
    return Serde<T>::view(value);
  } else {
    sink.clear();
    MILLRACE_CHECK(Serde<T>::serialize(value, sink));
    return sink.bytes();
  }
}
/// The same for one that may be null.
template <Serializable T>
Result<std::optional<Bytes>> to_bytes(const std::optional<T>& value, ByteSink& sink) {
  if (!value) return std::optional<Bytes>();
  MILLRACE_TRY(const Bytes bytes, to_bytes(*value, sink));
  return std::optional<Bytes>(bytes);
}

}  // namespace detail
}  // namespace millrace::inline v0
