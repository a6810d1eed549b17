#pragma once
#include <millrace/core/result.hpp>
#include <millrace/protocol/wire_error.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::inline v0::client {

/// The code that stands for what a broker answered; unsupported if there is none that is nearer.
Errc from_wire(protocol::WireError error) noexcept;

/// An Error that says what was being asked of whom and what the answer was: Kafka's name of the
/// code, and the broker's text if it gave one. `doing` is like "creating topic orders".
Error refused(std::string_view doing, protocol::WireError error,
              const std::optional<std::string>& text = {});

/// `refused()` unless the code is `none`.
Result<void> check(std::string_view doing, protocol::WireError error,
                   const std::optional<std::string>& text = {});

/// Whether the same request may succeed a moment later, or with another broker.
bool is_passing(protocol::WireError error) noexcept;

}  // namespace millrace::inline v0::client
