#include "time_text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <optional>

namespace millrace::inline v0::cli {
namespace {

using std::chrono::milliseconds;

/// Reads exactly `digits` digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  int value = 0;
  if (text.size() < digits) return std::nullopt;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<milliseconds> take_date(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch();
}

std::optional<milliseconds> take_time_of_day(std::string_view& text) {
  const auto hours = take_number(text, 2);
  if (!hours || *hours > 23 || !take(text, ":")) return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  auto time = std::chrono::hours(*hours) + std::chrono::minutes(*minutes) + milliseconds(0);
  if (!take(text, ":")) return time;
  const auto seconds = take_number(text, 2);
  if (!seconds || *seconds > 60) return std::nullopt;
  time += std::chrono::seconds(*seconds);
  if (!take(text, ".,")) return time;
  int scale = 100;
  bool has_digit = false;
  while (const auto digit = take_number(text, 1)) {
    time += milliseconds(*digit * scale);
    scale /= 10;
    has_digit = true;
  }
  if (!has_digit) return std::nullopt;
  return time;
}

/// How far the zone is ahead of UTC.
std::optional<milliseconds> take_zone(std::string_view& text) {
  if (text.empty() || take(text, "Zz")) return milliseconds(0);
  const bool is_behind = text.front() == '-';
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take_number(text, 2);
  if (!hours || *hours > 23) return std::nullopt;
  take(text, ":");
  const auto minutes = take_number(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const milliseconds ahead = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return is_behind ? -ahead : ahead;
}

std::optional<Timestamp> parse_calendar(std::string_view text) {
  const auto date = take_date(text);
  if (!date) return std::nullopt;
  if (text.empty()) return Timestamp(date->count());
  if (!take(text, "Tt ")) return std::nullopt;
  const auto time = take_time_of_day(text);
  if (!time) return std::nullopt;
  const auto ahead = take_zone(text);
  if (!ahead || !text.empty()) return std::nullopt;
  return Timestamp((*date + *time - *ahead).count());
}

std::optional<std::int64_t> take_integer(std::string_view& text) {
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return value;
}

std::optional<Timestamp> parse_ago(std::string_view text, Timestamp now) {
  const auto count = take_integer(text);
  if (!count || *count > 0) return std::nullopt;
  std::int64_t unit = 0;
  if (text == "ms") unit = 1;
  if (text == "s") unit = 1000;
  if (text == "m") unit = 60'000;
  if (text == "h") unit = 3'600'000;
  if (text == "d") unit = 86'400'000;
  std::int64_t ago = 0;
  if (unit == 0 || __builtin_mul_overflow(*count, unit, &ago)) return std::nullopt;
  std::int64_t time = 0;
  if (__builtin_add_overflow(now.milliseconds(), ago, &time) || time < 0) time = 0;
  return Timestamp(time);
}

std::optional<Timestamp> parse_milliseconds(std::string_view text) {
  const auto value = take_integer(text);
  if (!value || *value < 0 || !text.empty()) return std::nullopt;
  return Timestamp(*value);
}

}  // namespace

Result<Timestamp> parse_time(std::string_view text, Timestamp now) {
  if (text == "now") return now;
  auto time = parse_milliseconds(text);
  if (!time) time = parse_ago(text, now);
  if (!time) time = parse_calendar(text);
  if (time) return *time;
  return Error(Errc::invalid_argument,
               fmt::format("\"{}\" is not a time: give 2026-11-20T10:00:00Z, milliseconds since "
                           "1970, now, or a time ago such as -90s, -5m, -2h, -1d",
                           text));
}

std::string format_time(Timestamp time) {
  using namespace std::chrono;
  constexpr std::int64_t after_year_9999 = 253'402'300'800'000;
  const std::int64_t since_1970 = time.milliseconds();
  if (since_1970 < 0 || since_1970 >= after_year_9999) return std::to_string(since_1970);
  const auto instant = time.to_sys_time();
  const auto day = floor<days>(instant);
  const year_month_day date{day};
  const hh_mm_ss clock{instant - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace millrace::inline v0::cli
