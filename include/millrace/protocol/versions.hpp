#pragma once
#include <cstdint>
#include <limits>

namespace millrace::inline v0::protocol {

/// The version of an API that a request and its response are written in.
using ApiVersion = std::int16_t;

/// The versions from `first` to `last`, both included as everywhere in Kafka's protocol.
struct Versions {
  ApiVersion first = 0;
  ApiVersion last = std::numeric_limits<ApiVersion>::max();

  constexpr bool contains(ApiVersion version) const noexcept {
    return version >= first && version <= last;
  }
  friend constexpr bool operator==(const Versions&, const Versions&) = default;
};

inline constexpr Versions all_versions{};
inline constexpr Versions no_versions{0, -1};

constexpr Versions since(ApiVersion first) noexcept {
  return {.first = first};
}
constexpr Versions until(ApiVersion last) noexcept {
  return {.last = last};
}
constexpr Versions between(ApiVersion first, ApiVersion last) noexcept {
  return {first, last};
}
constexpr Versions only(ApiVersion version) noexcept {
  return {version, version};
}

}  // namespace millrace::inline v0::protocol
