#pragma once
#include <millrace/core/offset.hpp>
#include <millrace/core/result.hpp>
#include <string>
#include <string_view>

namespace millrace::inline v0::cli {

/// Understands `2026-11-20T10:00:00.5+01:00` (RFC 3339; no zone: UTC; the time may be left out),
/// milliseconds since 1970 (`1763632800000`), `now`, and a time ago (`-90s`, `-5m`, `-2h`, `-1d`,
/// `-250ms`). invalid_argument otherwise.
Result<Timestamp> parse_time(std::string_view text, Timestamp now);

/// `2026-11-20T10:00:00.500Z`; the number of milliseconds if it is of no year from 1970 to 9999.
std::string format_time(Timestamp time);

}  // namespace millrace::inline v0::cli
