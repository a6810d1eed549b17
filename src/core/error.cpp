#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <millrace/core/error.hpp>
#include <millrace/core/result.hpp>
#include <utility>

namespace millrace::inline v0 {
namespace {

/// In the order of Errc, which begins at 1.
constexpr const char* descriptions[] = {
    "invalid argument",
    "invalid topic name",
    "topic exists",
    "unknown topic",
    "unknown partition",
    "record too large",
    "invalid record",
    "offset out of range",
    "corrupt data",
    "foreign directory",
    "newer format",
    "directory locked",
    "read only",
    "no space left",
    "input/output error",
    "log failed",
    "closed",
    "serialization failed",
    "back pressure",
    "unsupported",
    "unknown group",
    "unknown member",
    "illegal generation",
    "rebalance in progress",
    "fenced instance",
    "inconsistent group protocol",
    "member id required",
    "group is full",
    "group is not empty",
    "sequence out of order",
    "invalid producer epoch",
    "invalid transaction state",
    "transaction coordinator fenced",
    "producer fenced",
    "concurrent transactions",
    "unknown transactional id",
};
static_assert(std::size(descriptions) == static_cast<std::size_t>(Errc::unknown_transactional_id));

const char* describe(Errc code) noexcept {
  const auto index = static_cast<std::size_t>(code) - 1;
  return index < std::size(descriptions) ? descriptions[index] : "unknown error";
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
