#pragma once
#include <millrace/protocol/versions.hpp>
#include <optional>
#include <type_traits>
#include <vector>

namespace millrace::inline v0::protocol {

/// In which versions a field is there, and in which of those it may be null if its type has a null.
struct When {
  Versions in = all_versions;
  Versions null_in = all_versions;

  constexpr When() = default;
  constexpr When(Versions present) : in(present) {}
  constexpr When(Versions present, Versions nullable) : in(present), null_in(nullable) {}
};

constexpr When nullable_since(ApiVersion first, Versions present = all_versions) noexcept {
  return {present, since(first)};
}

template <typename T>
inline constexpr bool is_optional = false;
template <typename T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <typename T>
inline constexpr bool is_array = false;
template <typename T>
inline constexpr bool is_array<std::vector<T>> = true;

/// A tagged field that has its default value is not written.
template <typename T>
bool is_default(const T& field, const std::type_identity_t<T>& value) {
  if constexpr (is_array<T>) {
    return field.empty();
  } else {
    return field == value;
  }
}

}  // namespace millrace::inline v0::protocol
