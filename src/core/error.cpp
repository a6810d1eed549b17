#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <millrace/core/error.hpp>
#include <millrace/core/result.hpp>
#include <utility>

namespace millrace::inline v0 {
namespace {

const char* describe(Errc code) noexcept {
  switch (code) {
    case Errc::invalid_argument:
      return "invalid argument";
    case Errc::invalid_topic:
      return "invalid topic name";
    case Errc::topic_exists:
      return "topic exists";
    case Errc::unknown_topic:
      return "unknown topic";
    case Errc::unknown_partition:
      return "unknown partition";
    case Errc::record_too_large:
      return "record too large";
    case Errc::invalid_record:
      return "invalid record";
    case Errc::offset_out_of_range:
      return "offset out of range";
    case Errc::corrupt_data:
      return "corrupt data";
    case Errc::foreign_directory:
      return "foreign directory";
    case Errc::newer_format:
      return "newer format";
    case Errc::directory_locked:
      return "directory locked";
    case Errc::read_only:
      return "read only";
    case Errc::no_space:
      return "no space left";
    case Errc::io_error:
      return "input/output error";
    case Errc::log_failed:
      return "log failed";
    case Errc::closed:
      return "closed";
    case Errc::serialization:
      return "serialization failed";
    case Errc::back_pressure:
      return "back pressure";
    case Errc::unsupported:
      return "unsupported";
    case Errc::unknown_group:
      return "unknown group";
    case Errc::unknown_member:
      return "unknown member";
    case Errc::illegal_generation:
      return "illegal generation";
    case Errc::rebalance_in_progress:
      return "rebalance in progress";
    case Errc::fenced_instance:
      return "fenced instance";
    case Errc::inconsistent_protocol:
      return "inconsistent group protocol";
    case Errc::member_id_required:
      return "member id required";
    case Errc::group_full:
      return "group is full";
    case Errc::group_not_empty:
      return "group is not empty";
    case Errc::out_of_order_sequence:
      return "sequence out of order";
    case Errc::invalid_producer_epoch:
      return "invalid producer epoch";
    case Errc::invalid_transaction_state:
      return "invalid transaction state";
    case Errc::transaction_coordinator_fenced:
      return "transaction coordinator fenced";
  }
  return "unknown error";
}

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "millrace"; }
  std::string message(int code) const override { return describe(static_cast<Errc>(code)); }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const Category category;
  return category;
}

std::error_code make_error_code(Errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

struct Error::Detail {
  std::string message;
  std::string topic;
  std::int32_t partition = -1;
  OffsetRange offsets;
};

Error::Error(Errc code, std::string message, int os_code)
    : code_(code),
      os_code_(os_code),
      detail_(std::make_shared<const Detail>(Detail{std::move(message), {}, -1, {}})) {}

Error Error::from_os(std::string_view doing, int os_code) {
  std::string text = std::string(doing) + ": " + std::generic_category().message(os_code);
  switch (os_code) {
    case ENOSPC:
    case EDQUOT:
      return {Errc::no_space, text + "; free some space (or lower retention) and try again",
              os_code};
    case EROFS:
    case EACCES:
    case EPERM:
      return {Errc::read_only, text + "; check the mount and the permissions", os_code};
    default:
      return {Errc::io_error, std::move(text), os_code};
  }
}

const std::string& Error::message() const noexcept {
  return detail_->message;
}
std::string_view Error::topic() const noexcept {
  return detail_->topic;
}
std::int32_t Error::partition() const noexcept {
  return detail_->partition;
}
OffsetRange Error::offsets() const noexcept {
  return detail_->offsets;
}

Error Error::at(std::string_view topic, std::int32_t partition) const {
  if (!detail_->topic.empty()) return *this;
  Error copy = *this;
  // No partition has a negative number: "orders--1" would name nothing.
  const std::string place =
      std::string(topic) + (partition < 0 ? "" : "-" + std::to_string(partition));
  copy.detail_ = std::make_shared<const Detail>(
      Detail{place + ": " + detail_->message, std::string(topic), partition, detail_->offsets});
  return copy;
}

Error Error::with_offsets(OffsetRange range) const {
  Error copy = *this;
  copy.detail_ = std::make_shared<const Detail>(
      Detail{detail_->message, detail_->topic, detail_->partition, range});
  return copy;
}

namespace detail {
void raise(const Error& error) {
#if defined(__cpp_exceptions)
  throw std::system_error(error.to_error_code(), error.message());
#else
  std::fprintf(stderr, "millrace: value() of an error: %s\n", error.message().c_str());
  std::abort();
#endif
}
}  // namespace detail

}  // namespace millrace::inline v0
