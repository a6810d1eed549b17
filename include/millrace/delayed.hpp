#pragma once
#include <array>
#include <millrace/record.hpp>
#include <millrace/record/delayed.hpp>
#include <optional>

/// Records that consumers see at a time of their own, in topics with the setting
/// `millrace.delayed.delivery=true`; docs/delayed_records.md has the rules.
namespace millrace::inline v0 {

/// The header that delays a record until a time. Must outlive what it gives out.
///
///   const millrace::DeliverAt at(std::chrono::system_clock::now() + 5min);
///   producer.send_with({.headers = at.headers()}, &key, &value);
class DeliverAt {
 public:
  /// A time before 1970 is taken for 1970, one behind 9999 for the end of it.
  explicit DeliverAt(Timestamp time) noexcept;

  /// Alone, for a record without other headers.
  std::span<const Header> headers() const& noexcept { return {&header_, 1}; }
  const Header& header() const& noexcept { return header_; }
  std::span<const Header> headers() && = delete;
  const Header& header() && = delete;
  DeliverAt(const DeliverAt&) = delete;
  DeliverAt& operator=(const DeliverAt&) = delete;

 private:
  std::array<char, 20> text_{};
  Header header_;
};

/// The offset at which a record that was delivered late had been sent: what its receipt said.
/// Nothing if it was not delayed.
std::optional<Offset> delayed_offset(const Headers& headers) noexcept;

/// invalid_record if headers have a millrace.deliver-at that is malformed: such a record would be
/// visible at once. Says what is wrong with it.
Result<void> check_deliver_at(std::span<const Header> headers);

}  // namespace millrace::inline v0
