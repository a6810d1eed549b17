#pragma once
#include <cerrno>
#include <cstddef>
#include <millrace/core/error.hpp>
#include <millrace/os/io_hooks.hpp>
#include <string>
#include <string_view>

namespace millrace::inline v0::os {

/// An Error for a failed system call on files, with a remedy for the codes that have one.
Error system_error(const std::string& doing, int os_code);

/// The part of `path` that hooks are told.
inline std::string_view below_root(const std::string& path, std::size_t root_length) noexcept {
  return std::string_view(path).substr(root_length < path.size() ? root_length : path.size());
}

/// Runs `system_call`, which returns 0 or an errno value, between its hooks.
template <typename SystemCall>
int hooked(IoHooks* hooks, const IoCall& call, SystemCall&& system_call) {
  if (hooks == nullptr) return system_call();
  int os_code = hooks->before(call);
  if (os_code == 0) os_code = system_call();
  if (os_code == 0) {
    hooks->after(call);
  } else {
    hooks->failed(call, os_code);
  }
  return os_code;
}

/// Repeats a call that returns -1 and sets errno for as long as a signal interrupts it.
template <typename SystemCall>
auto retry_interrupted(SystemCall&& system_call) {
  auto result = system_call();
  while (result == -1 && errno == EINTR) result = system_call();
  return result;
}

/// The same, as 0 or an errno value.
template <typename SystemCall>
int code_of(SystemCall&& system_call) {
  return retry_interrupted(system_call) == -1 ? errno : 0;
}

}  // namespace millrace::inline v0::os
