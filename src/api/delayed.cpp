#include <algorithm>
#include <charconv>
#include <millrace/delayed.hpp>

namespace millrace::inline v0 {

DeliverAt::DeliverAt(Timestamp time) noexcept {
  const Timestamp allowed = std::clamp(time, Timestamp{0}, record::latest_deliver_at);
  const auto written =
      std::to_chars(text_.data(), text_.data() + text_.size(), allowed.milliseconds());
  header_ = {record::deliver_at_header,
             as_bytes({text_.data(), static_cast<std::size_t>(written.ptr - text_.data())})};
}

std::optional<Offset> delayed_offset(const Headers& headers) noexcept {
  const std::string_view value = record::copy_mark(headers);
  return record::parse_copy_mark(value, value.substr(std::min(value.find('@'), value.size())));
}

Result<void> check_deliver_at(std::span<const Header> headers) {
  constexpr std::size_t shown = 40;
  for (const Header& header : headers) {
    if (header.key != record::deliver_at_header || record::parse_deliver_at(header.value)) continue;
    const std::string value(header.value ? as_text(*header.value).substr(0, shown) : "null");
    return Error(Errc::invalid_record,
                 "the header " + std::string(header.key) + " has the value \"" + value +
                     "\"; it takes milliseconds since 1970 as decimal digits, at most " +
                     std::to_string(record::latest_deliver_at.milliseconds()) +
                     " (the end of the year 9999): use millrace::DeliverAt");
  }
  return {};
}

}  // namespace millrace::inline v0
