#pragma once
#include <millrace/record/record_view.hpp>
#include <optional>
#include <string_view>

/// Records that are to be seen later: how they say so. docs/delayed_records.md has the rules.
namespace millrace::inline v0::record {

/// Its value is the time from which consumers are to see the record: decimal milliseconds since the
/// epoch, as text. Of several the last one counts, as always with Kafka's headers.
inline constexpr std::string_view deliver_at_header = "millrace.deliver-at";
/// What a delivered copy has: `OFFSET@TOPIC_ID-PARTITION` of the record that it is a copy of.
inline constexpr std::string_view delayed_offset_header = "millrace.delayed-offset";

/// The end of the year 9999. What is later is taken for a mistake in the unit.
inline constexpr Timestamp latest_deliver_at{253'402'300'799'999};

/// The time that a header's value stands for: digits alone, up to latest_deliver_at; else nothing.
std::optional<Timestamp> parse_deliver_at(const std::optional<Bytes>& value) noexcept;
/// The time that a record's headers ask for; nothing if they do not, or if it is malformed.
std::optional<Timestamp> deliver_at(const HeaderList& headers) noexcept;

/// When a record of a topic with `millrace.delayed.delivery` is to be delivered; nothing if it is
/// visible where it stands, because it asks for no time, or for none behind its own.
inline std::optional<Timestamp> hidden_until(const RecordView& record) noexcept {
  if (record.headers.count() == 0) [[likely]]
    return std::nullopt;
  const auto time = deliver_at(record.headers);
  return time && *time > record.timestamp ? time : std::nullopt;
}

/// The value of the last delayed_offset_header; empty if there is none.
std::string_view copy_mark(const HeaderList& headers) noexcept;
/// The offset that such a value begins with, if it ends in `source` ("@TOPIC_ID-PARTITION").
std::optional<Offset> parse_copy_mark(std::string_view value, std::string_view source) noexcept;

}  // namespace millrace::inline v0::record
