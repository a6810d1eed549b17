#pragma once
#include <cstdlib>
#include <millrace/core/error.hpp>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

namespace millrace::inline v0 {

namespace detail {
/// Throws std::system_error with the error's code and message; without exceptions prints the
/// message and ends the process. Only `.value()` calls it.
[[noreturn]] void raise(const Error& error);
}  // namespace detail

/// A value or an Error. The library itself never throws; `.value()` does, for those who like it.
///
/// Unlike Boost.Outcome's, `value()` and `*` of a temporary return by value, so that
/// `for (auto& r : consumer.poll(wait).value())` keeps what it iterates over alive (C++20 ends the
/// life of other temporaries in a range-for initialiser).
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  /// The value; throws std::system_error if there is none.
  T& value() & { return checked(), **this; }
  const T& value() const& { return checked(), **this; }
  T value() && { return checked(), *std::move(*this); }

  /// The value; only when has_value().
  T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  T operator*() && { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  const T* operator->() const noexcept { return std::get_if<0>(&state_); }

  /// The error; only when !has_value().
  const Error& error() const& noexcept { return *std::get_if<1>(&state_); }
  Error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

  template <typename U>
  T value_or(U&& other) && {
    return has_value() ? std::move(**this) : static_cast<T>(std::forward<U>(other));
  }

 private:
  void checked() const {
    if (!has_value()) detail::raise(error());
  }
  std::variant<T, Error> state_;
};

/// Success, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  /// Throws std::system_error if this is an error.
  void value() const {
    if (error_) detail::raise(*error_);
  }
  const Error& error() const& noexcept { return *error_; }
  Error&& error() && noexcept { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace millrace::inline v0

#define MILLRACE_CONCAT_(a, b) a##b
#define MILLRACE_CONCAT(a, b) MILLRACE_CONCAT_(a, b)
/// `MILLRACE_TRY(auto x, f());` declares x with the value of f(), or returns its error.
#define MILLRACE_TRY(declaration, ...)                                  \
  auto MILLRACE_CONCAT(millrace_try_, __LINE__) = (__VA_ARGS__);        \
  if (!MILLRACE_CONCAT(millrace_try_, __LINE__))                        \
    return std::move(MILLRACE_CONCAT(millrace_try_, __LINE__)).error(); \
  declaration = *std::move(MILLRACE_CONCAT(millrace_try_, __LINE__))
/// `MILLRACE_CHECK(f());` returns the error of f(), if any.
#define MILLRACE_CHECK(...)                                   \
  if (auto millrace_check_ = (__VA_ARGS__); !millrace_check_) \
  return std::move(millrace_check_).error()
